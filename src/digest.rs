//! The SHA-256 of texts and files, as hexadecimal digits.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// How much of a file is read at once.
const CHUNK: usize = 1 << 16;

/// The digits of all that can be read.
pub(crate) fn sha256(mut content: impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match content.read(&mut chunk)? {
            0 => return Ok(digits(&digest.finalize())),
            length => digest.update(&chunk[..length]),
        }
    }
}

/// The digits of a text.
pub(crate) fn sha256_of(text: impl AsRef<[u8]>) -> String {
    digits(&Sha256::digest(text))
}

fn digits(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing into a string does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_sha256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of("abc"), known);
        assert_eq!(sha256("abc".as_bytes()).unwrap(), known);
    }
}

# shellcheck shell=bash
# Images of Debian's packages: the base image, PostgreSQL, Redis.

# What no image needs. Perl serves only the wrappers that PostgreSQL's packages put around its programs.
unwanted=(/usr/share/{man,doc,info,locale,i18n,bash-completion}/'*' /lib/systemd/'*' '/usr/lib/*/gconv/*'
  '/usr/bin/perl*' '/usr/share/perl*/*' '/usr/lib/*/perl*/*' '/usr/lib/*/libperl*'
  '/usr/lib/*/libLLVM*' '/usr/lib/*/libz3*' '/usr/lib/postgresql/*/lib/bitcode/*' '/usr/lib/postgresql/*/lib/llvmjit*')

have_image() { # image, recipe or nothing: whether it is there, and made by this recipe
  local found
  found=$(docker image inspect --format '{{index .Config.Labels "airgap.recipe"}}' "$1" 2>/dev/null) &&
    [[ ${2:-$found} == "$found" ]]
}

packaged_recipe() { # function..., "--", file...
  local functions=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do functions+=("$1"); shift; done
  recipe "${unwanted[@]}" "$(declare -f bootstrap unpacked_packages as_image users "${functions[@]}")" "$@"
}

# A directory of packages and what they depend on.
bootstrap() { # variant ("minbase" is configured, "extract" only unpacked), packages, directory, mmdebstrap's options...
  local variant=$1 packages=$2 root=$3 mirror
  shift 3
  mirror=$(debian_mirror)
  # Its own user for downloads could not reach a directory below a home.
  mmdebstrap --variant="$variant" --include="$packages" --aptopt='APT::Sandbox::User "root"' "$@" "$release" "$root" "$mirror"
}

unpacked_packages() { # packages, directory
  bootstrap extract "$1" "$2" "${unwanted[@]/#/--dpkgopt=path-exclude=}"
  mkdir -p "$2"/{tmp,run,root,usr/local/bin}
  chmod 1777 "$2/tmp"
}

as_image() { # directory, image, recipe, settings for docker import...
  local root=$1 image=$2 settings=(-c "LABEL airgap.recipe=$3") setting
  shift 3
  for setting in "$@"; do settings+=(-c "$setting"); done
  tar --directory "$root" --create . | docker import "${settings[@]}" - "$image"
  rm -rf --one-file-system "$root"
}

# The user's own, where there is one.
debian_image() {
  ! have_image debian:bookworm-slim || return 0
  need mmdebstrap
  step "building debian:bookworm-slim" image-debian make_debian
}

make_debian() {
  bootstrap minbase ca-certificates "$scratch/debian" --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*'
  as_image "$scratch/debian" debian:bookworm-slim debian \
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'CMD ["bash"]'
}

postgres_image() {
  local made_by
  made_by=$(packaged_recipe make_postgres -- "$here/postgres/entrypoint")
  ! have_image "$KINDWRIGHT_IMAGE_POSTGRESQL" "$made_by" || return 0
  need mmdebstrap
  step "building $KINDWRIGHT_IMAGE_POSTGRESQL" image-postgres make_postgres "$made_by"
}

make_postgres() { # recipe
  local root=$scratch/postgres imported=$KINDWRIGHT_IMAGE_POSTGRESQL-imported
  unpacked_packages postgresql-15,bash,coreutils,util-linux,libc-bin "$root"
  ln -s bash "$root/bin/sh"
  users "$root" postgres
  install -m 0755 "$here/postgres/entrypoint" "$root/usr/local/bin/"
  as_image "$root" "$imported" "$1" \
    'ENV PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
    'ENTRYPOINT ["/usr/local/bin/entrypoint"]' 'EXPOSE 5432' 'VOLUME /var/lib/postgresql/data'
  # STOPSIGNAL as in the official image: with SIGTERM the server would first wait for its clients. An import
  # cannot say so, nor run the `initdb` that would take most of a first start.
  printf '%s\n' "FROM $imported" 'RUN ["/usr/local/bin/entrypoint", "prepare"]' 'STOPSIGNAL SIGINT' |
    DOCKER_BUILDKIT=0 docker build --quiet --tag "$KINDWRIGHT_IMAGE_POSTGRESQL" -
  docker image rm "$imported"
}

redis_image() {
  local made_by
  made_by=$(packaged_recipe make_redis -- "$here/redis/entrypoint")
  ! have_image "$KINDWRIGHT_IMAGE_REDIS" "$made_by" || return 0
  need mmdebstrap
  step "building $KINDWRIGHT_IMAGE_REDIS" image-redis make_redis "$made_by"
}

make_redis() { # recipe
  local root=$scratch/redis
  unpacked_packages redis-server,busybox-static "$root"
  ln -s busybox "$root/bin/sh"
  users "$root" redis
  install -d -o 999 -g 999 "$root/data" # the server saves into its working directory
  install -m 0755 "$here/redis/entrypoint" "$root/usr/local/bin/"
  as_image "$root" "$KINDWRIGHT_IMAGE_REDIS" "$1" 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'ENTRYPOINT ["/usr/local/bin/entrypoint"]' 'EXPOSE 6379' 'WORKDIR /data'
}

users() { # directory, the one beside root
  printf '%s\n' root:x:0:0::/root:/bin/sh "$2:x:999:999::/:/bin/sh" >"$1/etc/passwd"
  printf '%s\n' root:x:0: "$2:x:999:" >"$1/etc/group"
}

# shellcheck shell=bash
# Kubernetes' programs, compiled from Debian's source package and kept in the cache.

kubernetes=v1.20.2
programs=(kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubeadm kubectl cluster-dns)

# The directory appears under its name when everything in it is there.
kubernetes_programs() {
  [ ! -d "$bin" ] || return 0
  need dpkg-dev gcc libc6-dev make rsync golang-go
  step "fetching the source of Kubernetes $kubernetes from Debian" kubernetes-source fetch_source
  step "generating code" kubernetes-generate generate_code
  step "compiling Kubernetes (7 minutes on two cores)" kubernetes-compile compile
  rm -rf "$cache"/kubernetes-"$kubernetes"-*
  mv "$scratch/built" "$bin"
}

source_tree() { echo "$scratch/go/src/k8s.io/kubernetes"; }

fetch_source() {
  local source
  source=$(source_tree)
  mkdir -p "${source%/*}"
  cd "$scratch"
  from_suite deb-src $release source --download-only kubernetes
  dpkg-source --no-check -x kubernetes_*.dsc "$source"
  # The vendored reflect2 predates Go 1.18 and crashes under it: use Debian's.
  unpacked $release golang-github-modern-go-reflect2-dev "$scratch/reflect2"
  rm -r "$source/vendor/github.com/modern-go/reflect2"
  cp -r "$scratch/reflect2/usr/share/gocode/src/github.com/modern-go/reflect2" "$source/vendor/github.com/modern-go/"
  mkdir "$source/cmd/cluster-dns"
  cp "$here/dns/main.go" "$source/cmd/cluster-dns/"
  cd "$source"
  as_later_releases
}

# Two pauses that later releases of Kubernetes do without.
as_later_releases() {
  # The controller manager first waits for 10 s, then lists the nodes; most controllers start after that.
  edit pkg/controller/nodeipam/ipam/cidr_allocator.go 'wait.Poll(10*time.Second' 'wait.PollImmediate(10*time.Second'
  # A readiness probe first runs some time in its first period, for CoreDNS up to 10 s after its start.
  local probe=$'path: /ready\n            port: 8181\n            scheme: HTTP\n'
  edit cmd/kubeadm/app/phases/addons/dns/manifests.go "$probe" "$probe"$'          periodSeconds: 1\n'
}

edit() { # file, text in it, replacement
  local text
  text=$(<"$1")
  [[ $text == *"$2"* ]] || { echo "$1 does not contain: $2"; return 1; }
  printf '%s\n' "${text/"$2"/"$3"}" >"$1"
}

in_go() { # command...: with Go's settings, in the source tree
  cd "$(source_tree)"
  GOPATH=$scratch/go GOCACHE=$cache/go-build GO111MODULE=off CGO_ENABLED=0 "$@"
}

# The rest of the generated code is part of the source.
generate_code() { in_go make gen_openapi; }

compile() {
  local flags='-s -w' package
  for package in component-base/version client-go/pkg/version; do
    package=k8s.io/kubernetes/vendor/k8s.io/$package
    flags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=20 -X $package.gitTreeState=clean"
  done
  mkdir "$scratch/built"
  # Without the cloud providers and the Docker shim: smaller programs, and no search for a Docker daemon when the kubelet starts.
  in_go go build -v -trimpath -tags providerless,dockerless -ldflags "$flags" -o "$scratch/built/" \
    "${programs[@]/#/k8s.io/kubernetes/cmd/}"
  gcc -Os -static -s -DVERSION=v3.2 -o "$scratch/built/pause" "$(source_tree)/build/pause/linux/pause.c"
}

bin=$cache/kubernetes-$kubernetes-$(recipe "${programs[@]}" \
  "$(declare -f fetch_source as_later_releases generate_code compile)" -- "$here/dns/main.go")

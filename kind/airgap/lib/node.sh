# shellcheck shell=bash
# kind's node image: systemd, containerd and the kubelet, with the control plane's images in containerd.

components=(kube-apiserver kube-controller-manager kube-scheduler)
# What the stacks of most suites are made of: in the node already, it need not be brought there by each run.
preloaded=("$KINDWRIGHT_IMAGE_POSTGRESQL" "$KINDWRIGHT_IMAGE_REDIS")
# Names below which kubeadm looks for the control plane's images, by ours.
declare -A official=(
  [airgap/kube-apiserver]=k8s.gcr.io/kube-apiserver:$kubernetes
  [airgap/kube-controller-manager]=k8s.gcr.io/kube-controller-manager:$kubernetes
  [airgap/kube-scheduler]=k8s.gcr.io/kube-scheduler:$kubernetes
  [airgap/kube-proxy]=k8s.gcr.io/kube-proxy:$kubernetes
  [airgap/etcd]=k8s.gcr.io/etcd:3.4.13-0
  [airgap/coredns]=k8s.gcr.io/coredns:1.7.0
  [airgap/pause]=k8s.gcr.io/pause:3.2
)

node_image() {
  local made_by
  made_by=${bin##*-}-$(packaged_recipe component_images program_image make_kube_proxy make_node_base make_node -- "$here"/node/*)
  made_by+=-$(docker image inspect --format '{{.Id}}' "${preloaded[@]}" | sha256sum | head -c 12)
  ! have_image "$KIND_NODE_IMAGE" "$made_by" || return 0
  kubernetes_programs
  need mmdebstrap
  step "building the control plane's images" image-components component_images "$made_by"
  have_image airgap/node-base "$made_by" ||
    step "building the base of the node image" image-node-base make_node_base "$made_by"
  step "building $KIND_NODE_IMAGE" image-node make_node "$made_by"
  docker image rm airgap/node-base "${!official[@]}" >/dev/null
}

component_images() { # recipe
  local component
  for component in "${components[@]}"; do program_image "airgap/$component" "$1" "$bin/$component"; done
  program_image airgap/coredns "$1" "$bin/cluster-dns"
  program_image airgap/pause "$1" "$bin/pause"
  have_image airgap/etcd "$1" || unpacked $release etcd-server "$scratch/etcd"
  program_image airgap/etcd "$1" "$scratch/etcd/usr/bin/etcd"
  have_image airgap/kube-proxy "$1" || make_kube_proxy "$1"
}

# Nothing but the program and the libraries that it links.
program_image() { # image, recipe, program
  ! have_image "$1" "$2" || return 0
  local root=$scratch/${1##*/}-root name=${3##*/} library
  install -D -m 0755 "$3" "$root/usr/local/bin/$name"
  { ldd "$3" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } |
    while read -r library; do install -D "$library" "$root/$library"; done
  as_image "$root" "$1" "$2" 'ENV PATH=/usr/local/bin' "ENTRYPOINT [\"/usr/local/bin/$name\"]"
}

make_kube_proxy() { # recipe
  local root=$scratch/kube-proxy name
  unpacked_packages iptables,ipset,conntrack,kmod "$root"
  for name in {iptables,ip6tables}{,-save,-restore}; do ln -s xtables-nft-multi "$root/usr/sbin/$name"; done
  install -m 0755 "$bin/kube-proxy" "$root/usr/local/bin/"
  as_image "$root" airgap/kube-proxy "$1" 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
}

make_node_base() { # recipe
  bootstrap minbase "systemd,systemd-sysv,containerd,runc,containernetworking-plugins,iptables,nftables,iproute2,conntrack,\
ethtool,kmod,mount,util-linux,procps,socat,ca-certificates,hostname,jq" "$scratch/node-base" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*'
  as_image "$scratch/node-base" airgap/node-base "$1" 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
}

make_node() { # recipe
  local name node
  rm -f "$scratch/container"
  docker run --detach --cidfile "$scratch/container" --security-opt seccomp=unconfined --entrypoint sleep airgap/node-base infinity
  node=$(cat "$scratch/container")
  in_node() { docker exec --interactive "$node" "$@"; }

  in_node mkdir -p /kind/manifests /kind/content /var/lib/containerd /etc/cni/net.d /etc/containerd /etc/kubernetes/manifests
  for name in entrypoint kubelet-cgroup pod-network preloaded-images; do docker cp "$here/node/$name" "$node:/usr/local/bin/"; done
  for name in {kubelet,pod-network,preloaded-images,volumes}.service volumes.path; do docker cp "$here/node/$name" "$node:/etc/systemd/system/"; done
  for name in default-cni.yaml default-storage.yaml; do docker cp "$here/node/$name" "$node:/kind/manifests/"; done
  for name in kubeadm kubelet kubectl; do docker cp "$bin/$name" "$node:/usr/bin/"; done
  docker cp "$here/node/containerd.toml" "$node:/etc/containerd/config.toml"
  in_node sh -euc "
    printf %s $kubernetes >/kind/version
    # kind gives /var to a new volume, and Docker copies the image's /var into it. The images' content stays outside: 2.8 s less.
    ln -s /kind/content /var/lib/containerd/io.containerd.content.v1.content
    # A container has no terminals, devices, clock or network of its own to look after.
    find /etc/systemd/system /lib/systemd/system -path '*.wants/*' \( -name '*getty*' -o -name '*.timer' -o -name '*udev*' \
      -o -name '*networkd*' -o -name '*timesyncd*' -o -name 'systemd-tmpfiles-setup.service' -o -name '*logind*' \
      -o -name '*update-utmp*' -o -name 'systemd-ask-password*' -o -name 'nftables*' -o -name 'e2scrub*' \) -delete
    systemctl -q mask systemd-logind systemd-udevd systemd-binfmt systemd-modules-load systemd-sysctl dev-hugepages.mount \
      sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount getty.target
    systemctl -q enable containerd kubelet pod-network preloaded-images volumes.path
    systemctl -q set-default multi-user.target
    containerd >/dev/null 2>&1 &
    until ctr version >/dev/null 2>&1; do sleep 0.2; done"
  docker save "${!official[@]}" | in_node ctr --namespace=k8s.io images import --all-platforms --no-unpack -
  for name in "${!official[@]}"; do
    in_node ctr --namespace=k8s.io images tag "docker.io/$name:latest" "${official[$name]}"
    in_node ctr --namespace=k8s.io images rm "docker.io/$name:latest"
  done
  docker save "${preloaded[@]}" | in_node ctr --namespace=k8s.io images import --no-unpack -
  for name in "${preloaded[@]}"; do
    # The name that the runner gives to a content, whatever it is called elsewhere.
    in_node ctr --namespace=k8s.io images tag "$name" "localhost/kindwright:$(docker image inspect --format '{{slice .Id 7 39}}' "$name")"
    in_node ctr --namespace=k8s.io images rm "$name"
  done
  in_node pkill containerd
  docker commit --change 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' --change 'ENV container=docker' \
    --change "LABEL airgap.recipe=$1" "$node" "$KIND_NODE_IMAGE"
  docker rm --force "$node"
}

module zerosteal/toolchain/cilium-1.16.1

go 1.22.0

require github.com/cilium/cilium v1.16.1

// Cilium's own replacements.
replace go.universe.tf/metallb => github.com/cilium/metallb v0.1.1-0.20220829170633-5d7dfb1129f7

replace sigs.k8s.io/controller-tools => github.com/cilium/controller-tools v0.8.0-2

module zerosteal/toolchain/cilium

go 1.26.0

require github.com/cilium/cilium v1.20.2

// Cilium's own replacement.
replace sigs.k8s.io/controller-tools => github.com/cilium/controller-tools v0.21.0-1

// The exact pre-release versions that Cilium 1.20.2 names are not served by the module proxy; BGP and MCS are not used here.
replace github.com/osrg/gobgp/v4 => github.com/osrg/gobgp/v4 v4.7.0

replace sigs.k8s.io/mcs-api/controllers => sigs.k8s.io/mcs-api/controllers v0.0.0-20260403094305-4b9911b73f14

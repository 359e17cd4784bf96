// Command stages prints how simulated nodes and pods live: kwok's own fast stages,
// which its library carries but its command does not use by itself.
package main

import (
	"fmt"

	nodes "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	pods "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

func main() {
	for _, stage := range []string{
		nodes.DefaultNodeInit, pods.DefaultPodReady, pods.DefaultPodComplete, pods.DefaultPodDelete,
	} {
		fmt.Println("---")
		fmt.Println(stage)
	}
}

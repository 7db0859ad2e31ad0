//go:build linux

package fleet

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
)

// said is a line of dev's greeting that tells an address.
var said = regexp.MustCompile(`(?m)^ +(Kafka|Tokens) +(\S+)`)

// Base starts what stands beside the mesh: an issuer and a Kafka. They are those of the dev command; nothing else of that
// process is used.
func (f *Fleet) Base(ctx context.Context) error {
	data, err := f.newFolder("dev")
	if err != nil {
		return err
	}
	var dev *Node
	dev = f.node("dev", "", func(context.Context) error {
		for _, line := range said.FindAllStringSubmatch(dev.LastWords(), -1) {
			if line[1] == "Kafka" {
				f.Kafka = line[2]
			} else {
				f.Issuer = line[2]
			}
		}
		if f.Kafka == "" || f.Issuer == "" {
			return errors.New("it has not said where everything is")
		}
		return nil
	}, func() *exec.Cmd { return f.programs.Command("dev", nil, "-free", "-data", data) })
	dev.silent = true
	return dev.Start(ctx)
}

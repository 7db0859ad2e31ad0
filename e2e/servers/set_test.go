//go:build linux

package main

import "testing"

func TestEveryServerNamesPackagesThatAreKnown(t *testing.T) {
	for _, s := range servers {
		for _, program := range s.needs {
			if packages[program] == "" {
				t.Errorf("%s: no package is known for %s", s.name, program)
			}
		}
	}
}

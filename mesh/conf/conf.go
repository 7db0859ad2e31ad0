// Package conf reads a process's configuration into one struct: the defaults that it is given, then a
// file, then the environment. A key that the struct doesn't have is an error, in the file and in the environment.
//
// Keys are the `koanf` tags of the struct, nested by dots: kafka.brokers is KAFKA_BROKERS in the
// environment, after the process's prefix (EVENT_KAFKA_BROKERS). Lists are split at commas, durations read as 1m30s.
// An embedded struct tagged `koanf:",flatten"` gives its keys to the struct around it.
package conf

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

// Load reads the configuration of a process over its defaults. Prefix is upper case, without the underscore at its end;
// path names a YAML file, or is empty; environ is what os.Environ gives.
func Load[C any](defaults C, prefix, path string, environ []string) (C, error) {
	var cfg C
	k := koanf.New(".")
	if err := k.Load(structs.Provider(defaults, "koanf"), nil); err != nil {
		return cfg, fmt.Errorf("defaults: %w", err)
	}
	known := k.Keys()
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser(), koanf.WithMergeFunc(overlay)); err != nil {
			return cfg, fmt.Errorf("configuration file %s: %w", path, err)
		}
	}
	fromEnv, err := fromEnvironment(prefix, environ, known)
	if err != nil {
		return cfg, err
	}
	if err := k.Load(confmap.Provider(fromEnv, "."), nil); err != nil {
		return cfg, fmt.Errorf("environment: %w", err)
	}
	return cfg, decode(k, &cfg)
}

// overlay merges a file over the defaults. A key that stands there without a value, as a section of which every
// line is a comment does, changes nothing.
func overlay(file, defaults map[string]any) error {
	skipEmpty(file, defaults)
	maps.Merge(file, defaults)
	return nil
}

func skipEmpty(file, defaults map[string]any) {
	for key, known := range defaults {
		value, there := file[key]
		section, isSection := value.(map[string]any)
		knownSection, wasSection := known.(map[string]any)
		switch {
		case there && value == nil:
			delete(file, key)
		case isSection && wasSection:
			skipEmpty(section, knownSection)
		}
	}
}

// fromEnvironment finds the variables that begin with the prefix, by the keys that exist.
func fromEnvironment(prefix string, environ, known []string) (map[string]any, error) {
	byName := make(map[string]string, len(known))
	for _, key := range known {
		byName[Variable(prefix, key)] = key
	}
	found := map[string]any{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, prefix+"_") || name == FileVariable(prefix) {
			continue
		}
		key, ok := byName[name]
		if !ok {
			return nil, fmt.Errorf("environment: %s stands for no setting (there are: %s)", name, names(byName))
		}
		found[key] = value
	}
	return found, nil
}

func names(byName map[string]string) string {
	all := make([]string, 0, len(byName))
	for name := range byName {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// Variable gives the name of the environment variable for a key.
func Variable(prefix, key string) string {
	return prefix + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// FileVariable gives the name of the environment variable that names the configuration file.
func FileVariable(prefix string) string { return prefix + "_CONFIG" }

// Path tells which file to read: what the command line says, else what the environment says, else none.
func Path(prefix, flag string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv(FileVariable(prefix))
}

func decode[C any](k *koanf.Koanf, cfg *C) error {
	err := k.UnmarshalWithConf("", cfg, koanf.UnmarshalConf{
		Tag: "koanf",
		DecoderConfig: &mapstructure.DecoderConfig{
			DecodeHook: mapstructure.ComposeDecodeHookFunc(
				mapstructure.StringToTimeDurationHookFunc(),
				mapstructure.StringToSliceHookFunc(","),
				mapstructure.TextUnmarshallerHookFunc()),
			ErrorUnused:      true,
			Squash:           true,
			WeaklyTypedInput: true,
			Result:           cfg,
		},
	})
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

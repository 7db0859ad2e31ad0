package eureka

import (
	"context"
	"maps"
	"net/http"
	"net/url"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

func (f *face) postInstance(w http.ResponseWriter, r *http.Request) error {
	t, err := targetOf(r)
	if err != nil {
		return err
	}
	e, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	if err := f.register(r.Context(), t, e); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// register takes in what an instance says of itself. What another server passes on doesn't replace what is newer.
func (f *face) register(ctx context.Context, t target, e *element) error {
	i, err := decodeInfo(e, t.app)
	if err != nil {
		return err
	}
	instance, term, err := toInstance(i)
	if err != nil {
		return err
	}
	known, err := f.core.Get(instance.Key)
	exists := err == nil
	if exists && t.replicated && i.LastDirty != 0 && fromInstance(known).LastDirty > i.LastDirty {
		return f.core.Renew(ctx, instance.Key)
	}
	if known.Override == registry.Up && instance.Reported == registry.OutOfService {
		instance.Reported = registry.Up // whoever has put it into service knows better
	}
	if err := f.core.Register(ctx, instance, term); err != nil {
		return err
	}
	// It was overridden in a registry that has forgotten it since.
	if override := toStatus(i.OverriddenStatus); !exists && override != registry.Unknown {
		_, err := f.core.SetStatus(ctx, instance.Key, override)
		return err
	}
	return nil
}

func (f *face) putLease(_ http.ResponseWriter, r *http.Request) error {
	t, err := targetOf(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	return f.renew(r.Context(), t, query.Get("lastDirtyTimestamp"), query.Get("overriddenstatus"))
}

// renew begins the lease anew. It fails with NotFound, which makes the client register again, if the lease is unknown, if the instance
// has changed since it registered, and if its status is open after an override was taken back
// (com.netflix.eureka.resources.InstanceResource).
func (f *face) renew(ctx context.Context, t target, dirtyText, override string) error {
	dirty, err := dirtyTime(dirtyText)
	if err != nil {
		return err
	}
	key := keyOf(t.app, t.id)
	known, err := f.core.Get(key)
	if err != nil {
		return err
	}
	if known.Leased && known.Override == 0 && known.Reported == registry.Unknown {
		return fault.Missing("Status", t.id)
	}
	if err := f.core.Renew(ctx, key); err != nil && !fault.Is(err, fault.AlreadyExists) { // another registry has just heard from it
		return err
	}
	shown := fromInstance(known)
	switch {
	case dirty == 0 || dirty == shown.LastDirty:
		return nil
	case dirty > shown.LastDirty:
		return f.outdated(ctx, t, known, toStatus(knownStatus(override)))
	case t.replicated:
		return &refusal{status: http.StatusConflict, entity: shown}
	default:
		return nil
	}
}

// outdated makes who has renewed register anew. What another server knows of an override is kept: the registration doesn't tell it.
func (f *face) outdated(ctx context.Context, t target, known registry.Instance, override registry.Status) error {
	if t.replicated && override != registry.Unknown && override != known.Override {
		if _, err := f.core.SetStatus(ctx, known.Key, override); err != nil {
			return err
		}
	}
	return fault.Missing("Registration", t.id)
}

func (f *face) deleteInstance(_ http.ResponseWriter, r *http.Request) error {
	t, err := targetOf(r)
	if err != nil {
		return err
	}
	return f.core.Cancel(r.Context(), keyOf(t.app, t.id))
}

func (f *face) putStatus(_ http.ResponseWriter, r *http.Request) error {
	t, err := targetOf(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	return f.override(r.Context(), t, query.Get("value"), query.Get("lastDirtyTimestamp"))
}

// override sets the status that counts until it is taken back, while the instance is neither starting nor down by its own word. UP counts
// against that, too, until the instance registers again.
func (f *face) override(ctx context.Context, t target, value, dirtyText string) error {
	if value == "" {
		return badRequest("value: must be UP, DOWN, STARTING, OUT_OF_SERVICE or UNKNOWN")
	}
	status := toStatus(knownStatus(value))
	if status == registry.Unknown {
		return f.release(ctx, t, "", dirtyText)
	}
	if err := f.say(ctx, t, dirtyText, func(instance *registry.Instance) {
		if status == registry.Up {
			instance.Reported = registry.Up
		}
	}); err != nil {
		return err
	}
	_, err := f.core.SetStatus(ctx, keyOf(t.app, t.id), status)
	return err
}

func (f *face) deleteStatus(_ http.ResponseWriter, r *http.Request) error {
	t, err := targetOf(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	return f.release(r.Context(), t, query.Get("value"), query.Get("lastDirtyTimestamp"))
}

// release takes an override back. The instance has the given status then, or UNKNOWN: its next renewal fails, and it registers with its own.
func (f *face) release(ctx context.Context, t target, value, dirtyText string) error {
	key := keyOf(t.app, t.id)
	known, err := f.core.Get(key)
	if err != nil {
		return err
	}
	open := toStatus(knownStatus(value))
	// First this: at no time the instance counts as up that isn't.
	if err := f.say(ctx, t, dirtyText, func(instance *registry.Instance) {
		if known.Override != 0 {
			instance.Reported = open
		}
	}); err != nil {
		return err
	}
	_, err = f.core.SetStatus(ctx, key, 0)
	return err
}

// say changes what a leased instance says of itself, as if it had registered at the given time.
func (f *face) say(ctx context.Context, t target, dirtyText string, change func(*registry.Instance)) error {
	dirty, err := dirtyTime(dirtyText)
	if err != nil {
		return err
	}
	_, err = f.core.Update(ctx, keyOf(t.app, t.id), func(instance *registry.Instance) error {
		change(instance)
		i := decodeDetails(instance.Details)
		if i == nil || dirty <= fromInstance(*instance).LastDirty {
			return nil
		}
		i.LastDirty = dirty
		text, err := encodeDetails(i)
		instance.Details = text
		return err
	})
	return err
}

func (f *face) putMetadata(_ http.ResponseWriter, r *http.Request) error {
	t, err := targetOf(r)
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("the query can't be read: metadata is given as key=value, percent-encoded")
	}
	return f.say(r.Context(), t, "", func(instance *registry.Instance) {
		if instance.Metadata == nil {
			instance.Metadata = map[string]string{}
		}
		maps.Copy(instance.Metadata, first(values))
		if i := decodeDetails(instance.Details); i != nil {
			derive(instance, i)
		}
	})
}

// first gives the first value of each key that has a name.
func first(values url.Values) map[string]string {
	one := make(map[string]string, len(values))
	for key := range values {
		if key != "" && key[0] != '@' {
			one[key] = values.Get(key)
		}
	}
	return one
}

// putASG answers as Netflix does outside of Amazon's data centers: there are no scaling groups to switch.
func (*face) putASG(http.ResponseWriter, *http.Request) error {
	return badRequest("there are no auto scaling groups here")
}

package console

import (
	"fmt"

	"github.com/schollz/progressbar/v3"
)

// Progress tells how far a long work is: by a bar on a terminal, else by a line for each tenth of it.
type Progress struct {
	console     *Console
	what        string
	total, done int64
	bar         *progressbar.ProgressBar // nil: lines
}

// Progress begins to tell of a work of this size.
func (c *Console) Progress(what string, total int64) *Progress {
	p := &Progress{console: c, what: what, total: max(total, 1)}
	if c.Live {
		p.bar = progressbar.NewOptions64(p.total,
			progressbar.OptionSetWriter(c.Err), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetWidth(barWidth), progressbar.OptionClearOnFinish())
	}
	return p
}

const (
	barWidth = 30
	tenths   = 10
)

// Add tells that so much more is done.
func (p *Progress) Add(n int64) {
	before := p.done * tenths / p.total
	p.done += n
	switch now := p.done * tenths / p.total; {
	case p.bar != nil:
		_ = p.bar.Add64(n) // more than the whole changes nothing
	case now > before:
		p.console.Say("%s: %d of %d", p.what, p.done, p.total)
	}
}

// End leaves the line to others.
func (p *Progress) End() {
	if p.bar != nil {
		_ = p.bar.Clear()
		fmt.Fprint(p.console.Err, "\r")
	}
}

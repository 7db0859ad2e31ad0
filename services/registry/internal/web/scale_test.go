package web_test

import (
	"fmt"
	"net/http"
	"testing"
)

// BenchmarkTenThousandInstances measures the page of 10,000 instances of 20 services, and what one change costs until 50 pages are told.
func BenchmarkTenThousandInstances(b *testing.B) {
	settings := quick()
	settings.MaxStreams = 50
	r := start(b, settings)
	for n := range 10_000 {
		r.join(b, instance(fmt.Sprintf("service-%02d", n%20), fmt.Sprintf("instance-%04d", n)))
	}
	for name, path := range map[string]string{"page": "/", "filter": "/?q=instance-77", "service": "/?service=service-07"} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				answer := r.get(b, path)
				if answer.status != http.StatusOK {
					b.Fatal(answer.status)
				}
				size = len(answer.body)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
	b.Run("change", func(b *testing.B) {
		told := make(chan int)
		for range settings.MaxStreams {
			s := r.follow(b, "/changes")
			s.next(b)
			go func() {
				for s.lines.Scan() {
					if text := s.lines.Text(); len(text) > 6 && text[:6] == "data: " {
						told <- len(text)
					}
				}
			}()
			b.Cleanup(s.close)
		}
		size := 0
		for n := 0; b.Loop(); n++ {
			i := instance("service-07", "instance-0007")
			i.Zone = fmt.Sprint("zone-", n)
			r.join(b, i)
			for range settings.MaxStreams {
				size = <-told
			}
		}
		b.ReportMetric(float64(size), "bytes/page")
	})
}

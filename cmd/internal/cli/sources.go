package cli

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/cmd/internal/config"
	"github.com/concordat-dev/concordat/parser/remote"
)

// sources are the flags that say what a contract consists of beside its own file.
type sources struct {
	imports  []string
	overlays []string
	hosts    []string // that may be asked
	cache    string
	offline  bool
}

// anyHost stands for --allow-remote without hosts.
const anyHost = "*"

func (s *sources) flags(c *cobra.Command) {
	importFlag(c, &s.imports)
	c.Flags().StringArrayVar(&s.overlays, "overlay", nil, "apply the OpenAPI Overlay in `FILE` first; may be repeated, in order")
	c.Flags().StringSliceVar(&s.hosts, "allow-remote", nil, "follow references to other hosts: to `HOST`s, by =HOST,HOST, or to all that are public")
	c.Flags().Lookup("allow-remote").NoOptDefVal = anyHost
	c.Flags().BoolVar(&s.offline, "offline", false, "take what is on other hosts from the cache alone")
	c.Flags().StringVar(&s.cache, "remote-cache", "", "keep what is on other hosts in `DIR` (default concordat/remote among the user's caches)")
	_ = c.MarkFlagDirname("remote-cache") // the errors say that there are no such flags: there are
	_ = c.MarkFlagFilename("overlay", "yaml", "yml", "json")
}

// jobs makes jobs of specs, and gives them what the flags say.
func (s *sources) jobs(specs []string) ([]job, error) {
	jobs := group(specs, s.imports)
	if len(jobs) > 1 && len(s.overlays) > 0 {
		return nil, usage("--overlay suits one contract, and there are more", "run concordat for each of them, or list them in "+config.FileName)
	}
	for i := range jobs {
		jobs[i].overlays, jobs[i].remote = slashed(s.overlays), s.remote()
	}
	return jobs, nil
}

func slashed(names []string) []string {
	out := slices.Clone(names)
	for i := range out {
		out[i] = filepath.ToSlash(out[i])
	}
	return out
}

// remote is what the flags allow to be fetched; nil for nothing.
func (s *sources) remote() *remote.Options {
	if len(s.hosts) == 0 && !s.offline {
		return nil
	}
	o := &remote.Options{Hosts: s.hosts, Offline: s.offline}
	if slices.Contains(s.hosts, anyHost) {
		o.Hosts = nil
	}
	o.Cache = cacheIn(s.cache)
	return o
}

// given says whether one of the flags was used that go with a SPEC alone.
func (s *sources) given() bool {
	return len(s.imports)+len(s.overlays)+len(s.hosts) > 0 || s.cache != ""
}

// cacheIn is the cache in dir, or in the user's own place for caches; none where there is
// no such place.
func cacheIn(dir string) remote.Cache {
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		dir = filepath.Join(base, "concordat", "remote")
	}
	return remote.Dir(dir)
}

// remoteOf is what a configuration in the folder base allows to be fetched.
func remoteOf(r *config.Remote, base string, offline bool, path func(string) string) *remote.Options {
	if r == nil && !offline {
		return nil
	}
	if r == nil {
		r = &config.Remote{}
	}
	o := &remote.Options{Hosts: r.Hosts, Offline: r.Offline || offline, MaxBytes: r.MaxBytes, Timeout: r.Timeout, MaxAge: r.MaxAge}
	if slices.Contains(r.Hosts, anyHost) {
		o.Hosts = nil
	}
	dir := r.Cache
	if dir != "" {
		dir = path(below(base, []string{dir})[0])
	}
	o.Cache = cacheIn(dir)
	return o
}

// fetcher is one for all jobs that allow the same, so that limits hold for a run.
func (a *app) fetcher(o *remote.Options) *remote.Fetcher {
	for _, known := range a.fetchers {
		if known.options == o {
			return known.Fetcher
		}
	}
	f := remote.New(*o)
	a.fetchers = append(a.fetchers, fetching{o, f})
	return f
}

type fetching struct {
	options *remote.Options
	*remote.Fetcher
}

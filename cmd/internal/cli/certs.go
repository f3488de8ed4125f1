package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

const aboutCerts = `Makes certificates for development and tests, and says what is in certificates from
anywhere. The authority lies in a directory, whose files programs read by
tlsconf.Mutual(NAME.crt, NAME.key, ca.crt), and again when they change.

It is NOT FOR PRODUCTION: the authority's key is a plain file, and nothing is revoked.`

func (a *app) certs() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "certs",
		Short: "Make certificates for development, and inspect any",
		Long:  aboutCerts,
		Example: `  concordat certs init
  concordat certs issue users --host users.test --spiffe spiffe://shop.test/users
  concordat certs inspect certs/*.crt
  concordat certs rotate users`,
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVar(&dir, "dir", "certs", "the authority's `DIRECTORY`")
	c.AddCommand(a.certsInit(&dir), a.certsIssue(&dir), a.certsRotate(&dir), a.certsInspect())
	return c
}

func (a *app) certsInit(dir *string) *cobra.Command {
	var lasts time.Duration
	c := &cobra.Command{
		Use:     "init",
		Short:   "Make an authority for development",
		Example: "  concordat certs init --dir certs",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := positive(lasts); err != nil {
				return err
			}
			if _, err := devca.Create(a.path(*dir), lasts); err != nil {
				return certsFailed(err, "issue by the one that is there, or name another directory by --dir")
			}
			fmt.Fprintf(a.env.Out, "%s: an authority for development, not for production\n", filepath.ToSlash(filepath.Join(*dir, devca.TrustFile)))
			return nil
		},
	}
	lastsFlag(c, &lasts, devca.AuthorityLasts)
	return c
}

func (a *app) certsIssue(dir *string) *cobra.Command {
	var r devca.Request
	c := &cobra.Command{
		Use:     "issue NAME",
		Short:   "Issue a certificate for a server or client",
		Long:    "Writes NAME.crt and NAME.key. What is there under that name is replaced. Without --host\nand --spiffe, it is valid for localhost and the loopback addresses.",
		Example: "  concordat certs issue users --host users.test,10.0.0.5 --spiffe spiffe://shop.test/users",
		Args:    oneName,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := positive(r.Lasts); err != nil {
				return err
			}
			f, err := a.authority(*dir)
			if err != nil {
				return err
			}
			r.Name = args[0]
			if _, _, err := f.Issue(r); err != nil {
				return certsFailed(err, "")
			}
			at := filepath.ToSlash(filepath.Join(*dir, r.Name))
			fmt.Fprintf(a.env.Out, "%s.crt, %s.key\n", at, at)
			return nil
		},
	}
	c.Flags().StringSliceVar(&r.Hosts, "host", nil, "`NAME or address` that it is valid for; may be repeated")
	c.Flags().StringSliceVar(&r.URIs, "spiffe", nil, "SPIFFE `ID`, or another URI, that it proves; may be repeated")
	lastsFlag(c, &r.Lasts, devca.LeafLasts)
	return c
}

func (a *app) certsRotate(dir *string) *cobra.Command {
	var authority, forget bool
	var lasts time.Duration
	c := &cobra.Command{
		Use:   "rotate [NAME ...]",
		Short: "Issue certificates again, or replace the authority",
		Long: `Issues the certificates named, or all, again: for the same hosts and as long, with new
keys. Programs that run read them within seconds.

To replace the authority without a gap, in three steps with some seconds between:
  concordat certs rotate --authority   trust a new one beside the old
  concordat certs rotate               certificates by the new one
  concordat certs rotate --forget      trust the old one no more`,
		Example: "  concordat certs rotate users",
		RunE: func(_ *cobra.Command, names []string) error {
			f, err := a.authority(*dir)
			if err != nil {
				return err
			}
			switch {
			case authority && forget || (authority || forget) && len(names) > 0:
				return usage("--authority, --forget and names exclude each other", "they are steps: see `concordat certs rotate --help`")
			case authority:
				return a.rotateAuthority(f, lasts)
			case forget:
				return a.forgetAuthorities(f)
			}
			return a.rotate(f, names)
		},
	}
	c.Flags().BoolVar(&authority, "authority", false, "make a new authority, and trust the old one, too")
	c.Flags().BoolVar(&forget, "forget", false, "trust the authorities before the present one no more")
	lastsFlag(c, &lasts, devca.AuthorityLasts)
	return c
}

func (a *app) rotateAuthority(f *devca.Folder, lasts time.Duration) error {
	if err := positive(lasts); err != nil {
		return err
	}
	if err := f.RenewAuthority(lasts); err != nil {
		return certsFailed(err, "")
	}
	fmt.Fprintln(a.env.Out, "a new authority issues; the one before is still trusted\nnext, in some seconds: concordat certs rotate")
	return nil
}

func (a *app) forgetAuthorities(f *devca.Folder) error {
	n, err := f.Forget()
	if err != nil {
		return certsFailed(err, "")
	}
	if n == 0 {
		fmt.Fprintln(a.env.Out, "there was one authority only")
		return nil
	}
	fmt.Fprintf(a.env.Out, "%s forgotten\n", strings.Replace(count(n, "authority"), "authoritys", "authorities", 1))
	return nil
}

func (a *app) rotate(f *devca.Folder, names []string) error {
	if len(names) == 0 {
		var err error
		if names, err = f.Names(); err != nil {
			return certsFailed(err, "")
		}
	}
	for _, n := range names {
		if err := f.Renew(n); err != nil {
			return certsFailed(err, "`concordat certs issue` makes new ones")
		}
		fmt.Fprintf(a.env.Out, "%s: issued again\n", n)
	}
	return nil
}

func (a *app) authority(dir string) (*devca.Folder, error) {
	f, err := devca.Open(a.path(dir))
	if err != nil {
		return nil, certsFailed(err, fmt.Sprintf("run `concordat certs init --dir %s` first", dir))
	}
	return f, nil
}

func certsFailed(err error, help string) error {
	return &exitError{code: Network, message: strings.TrimPrefix(err.Error(), "devca: "), help: help}
}

func oneName(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage("name one certificate", fmt.Sprintf("`%s users`", c.CommandPath()))
	}
	return nil
}

func lastsFlag(c *cobra.Command, to *time.Duration, otherwise time.Duration) {
	c.Flags().DurationVar(to, "lasts", otherwise, "how long it is valid")
}

func positive(lasts time.Duration) error {
	if lasts <= 0 {
		return errors.New("--lasts must be positive, such as 24h")
	}
	return nil
}

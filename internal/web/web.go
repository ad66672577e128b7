package web

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// App names one of the pages. It is served at /<app>.
type App string

// The pages.
const (
	Till    App = "till"
	Card    App = "card"
	Console App = "console"
)

// ErrNotBuilt says that this binary was built without its pages.
var ErrNotBuilt = errors.New("the page is not in this binary: run make web, then make build")

//go:embed all:dist
var dist embed.FS

// Site is one app's files, ready to be sent. It is safe for concurrent use.
type Site struct {
	app    App
	files  map[string]*file // by path under the app; "" is the page itself
	policy string
}

// Open returns the files of an app, or ErrNotBuilt.
func Open(app App) (*Site, error) {
	return From(dist, app)
}

// From is Open of another place: a folder with dist/<app> in it.
func From(built fs.FS, app App) (*Site, error) {
	root := path.Join("dist", string(app))
	if _, err := fs.Stat(built, path.Join(root, "index.html")); err != nil {
		return nil, fmt.Errorf("open page %s: %w", app, ErrNotBuilt)
	}
	site := &Site{app: app, files: map[string]*file{}, policy: policyOf(app)}
	err := fs.WalkDir(built, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(built, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		at := strings.TrimPrefix(name, root+"/")
		site.files[at] = newFile(at, body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open page %s: %w", app, err)
	}
	site.files[""] = site.files["index.html"]
	return site, nil
}

// policyOf is the content security policy of an app: its own files and its own
// server, nothing inline. The decoder of the till's and the card's camera is WebAssembly.
func policyOf(app App) string {
	script := "script-src 'self'"
	if app != Console {
		script += " 'wasm-unsafe-eval'"
	}
	return strings.Join([]string{
		"default-src 'none'", script, "style-src 'self'", "img-src 'self' data: blob:", "font-src 'self'",
		"connect-src 'self'", "media-src 'self' blob:", "worker-src 'self'", "manifest-src 'self'",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
}

// types are the media types of what is built. The table of the machine is not asked,
// since it differs from machine to machine.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".json": "application/json", ".webmanifest": "application/manifest+json", ".wasm": "application/wasm",
	".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".woff2": "font/woff2",
}

func typeOf(name string) string {
	if kind, known := types[path.Ext(name)]; known {
		return kind
	}
	return "application/octet-stream"
}

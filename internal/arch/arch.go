// Package arch holds the map of the house: which package may import which, and what a
// service may link. Its tests fail on a breach; run them uncached (-count=1), since they
// read the whole module. It imports nothing.
package arch

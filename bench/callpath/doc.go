// Package callpath measures what the call path costs beside the policies of others.
package callpath

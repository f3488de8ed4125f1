// A server written with @connectrpc/connect-node, over HTTP/2 with TLS. Arguments: directory
// with certificates, descriptor set, and optionally http1 for plaintext HTTP/1.1.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import { create } from '@bufbuild/protobuf'
import { ConnectError } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { load } from './echo.mjs'

const [dir, descriptors, http1] = process.argv.slice(2)
const read = (name) => readFileSync(`${dir}/${name}`)
const { Echo, Phrase, Number, registry } = load(descriptors)

const handler = connectNodeAdapter({
  jsonOptions: { registry },
  routes: (router) => router.service(Echo, {
    say(request, context) {
      const v = context.requestHeader.get('x-interop'), bin = context.requestHeader.get('x-interop-bin')
      if (v) context.responseHeader.set('x-reply', v), context.responseTrailer.set('x-trailer', v)
      if (bin) context.responseTrailer.set('x-trailer-bin', bin)
      return request
    },
    fail({ code, message, details }) {
      throw new ConnectError(message, code, undefined, [
        ...details.map((text) => ({ desc: Phrase, value: { text } })), { desc: Number, value: { value: BigInt(details.length) } },
      ])
    },
    wait: (_, context) => new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason))),
    async *count({ last }) { for (let n = 1n; last === 0n || n <= last; n++) yield create(Number, { value: n }) },
    async sum(requests) {
      let value = 0n
      for await (const n of requests) value += n.value
      return { value }
    },
    async *chat(requests) { yield* requests },
  }),
})
const server = http1
  ? http.createServer(handler)
  : http2.createSecureServer({ ca: read('ca.crt'), cert: read('peer.crt'), key: read('peer.key'), requestCert: true, rejectUnauthorized: true }, handler)
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`))
process.stdin.resume().on('end', () => process.exit(0))

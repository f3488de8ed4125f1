// @connectrpc/connect against a server of ours. Arguments: address, directory with
// certificates, descriptor set, protocol (connect, grpc, grpc-web), version of HTTP, and
// optionally json.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { create } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport, compressionGzip } from '@connectrpc/connect-node'
import { load } from './echo.mjs'

const [address, dir, descriptors, protocol, httpVersion, json] = process.argv.slice(2)
const read = (name) => readFileSync(`${dir}/${name}`)
const { Echo, Phrase, Number } = load(descriptors)
const make = { connect: createConnectTransport, grpc: createGrpcTransport, 'grpc-web': createGrpcWebTransport }[protocol]
const options = (more) => ({
  baseUrl: `https://${address}`, httpVersion, useBinaryFormat: !json,
  nodeOptions: { ca: read('ca.crt'), cert: read('peer.crt'), key: read('peer.key') },
  ...more,
})
const client = createClient(Echo, make(options({})))
const zipped = createClient(Echo, make(options({ sendCompression: compressionGzip, useHttpGet: true })))
const failure = (promise) => promise.then(() => assert.fail('no error'), (e) => ConnectError.from(e))

let header, trailer
const said = await client.say({ text: 'grüße' }, {
  headers: { 'x-interop': 'hello', 'x-interop-bin': 'AAH+/w' }, onHeader: (h) => (header = h), onTrailer: (t) => (trailer = t),
})
assert.equal(said.text, 'grüße')
assert.equal(header.get('x-reply'), 'hello')
assert.equal(trailer.get('x-trailer'), 'hello')
assert.equal(trailer.get('x-trailer-bin').replace(/=+$/, ''), 'AAH+/w')
const long = 'x'.repeat(100_000)
assert.equal((await zipped.say({ text: 'by GET, where that is known' })).text, 'by GET, where that is known')
let zippedLong = 0
for await (const r of zipped.count({ last: 3n })) zippedLong += 1
assert.equal(zippedLong, 3)
assert.equal((await createClient(Echo, make(options({ sendCompression: compressionGzip }))).say({ text: long })).text, long)

const numbers = []
for await (const n of client.count({ last: 1000n })) numbers.push(n.value)
assert.equal(numbers.length, 1000)
async function* upTo(n) { for (let i = 1; i <= n; i++) yield create(Number, { value: BigInt(i) }) }
assert.equal((await client.sum(upTo(100))).value, 5050n)
if (httpVersion === '2') {
  let heard
  const next = () => new Promise((resolve) => (heard = resolve))
  async function* talk() {
    for (const text of ['one', 'two', 'three']) {
      const answer = next()
      yield create(Phrase, { text })
      assert.equal(await answer, text)
    }
  }
  for await (const phrase of client.chat(talk())) heard(phrase.text)
}

const e = await failure(client.fail({ code: 5, message: 'kein Käse', details: ['a', 'b'] }))
assert.equal(e.code, Code.NotFound)
assert.equal(e.rawMessage, 'kein Käse')
assert.deepEqual(e.findDetails(Phrase).map((d) => d.text), ['a', 'b'])
assert.deepEqual(e.findDetails(Number).map((d) => d.value), [2n])
assert.equal((await failure(client.wait({}, { timeoutMs: 300 }))).code, Code.DeadlineExceeded)
const stop = new AbortController()
const endless = (async () => { for await (const n of client.count({ last: 0n }, { signal: stop.signal })) stop.abort() })()
assert.equal((await failure(endless)).code, Code.Canceled)
console.log('ok')
process.exit(0)

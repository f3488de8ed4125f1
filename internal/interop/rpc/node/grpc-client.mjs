// @grpc/grpc-js against a server of ours. Arguments: address, directory with ca.crt and
// peer.crt and peer.key, and echo.proto.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

const [address, dir, proto] = process.argv.slice(2)
const read = (name) => readFileSync(`${dir}/${name}`)
const pkg = grpc.loadPackageDefinition(loader.loadSync(proto, { longs: Number })).concordat.interop.v1
const mutual = grpc.credentials.createSsl(read('ca.crt'), read('peer.key'), read('peer.crt'))
const client = new pkg.Echo(address, mutual)
const zipped = new pkg.Echo(address, mutual, { 'grpc.default_compression_algorithm': 2 })

const unary = (c, method, request, metadata = new grpc.Metadata(), options = {}) =>
  new Promise((resolve, reject) => {
    const seen = {}
    const call = c[method](request, metadata, options, (error, reply) =>
      error ? reject(error) : setImmediate(() => resolve({ reply, ...seen })))
    call.on('metadata', (m) => (seen.header = m))
    call.on('status', (s) => (seen.trailer = s.metadata))
    seen.call = call
  })
const failure = (promise) => promise.then(() => assert.fail('no error'), (e) => e)

// One message each way, and what travels beside.
const metadata = new grpc.Metadata()
metadata.set('x-interop', 'hello')
metadata.set('x-interop-bin', Buffer.from([0, 1, 254, 255]))
const { reply, header, trailer } = await unary(client, 'Say', { text: 'grüße' }, metadata)
assert.equal(reply.text, 'grüße')
assert.deepEqual(header.get('x-reply'), ['hello'])
assert.deepEqual(trailer.get('x-trailer'), ['hello'])
assert.deepEqual(trailer.get('x-trailer-bin'), [Buffer.from([0, 1, 254, 255])])

// Compressed.
const long = 'x'.repeat(100_000)
assert.equal((await unary(zipped, 'Say', { text: long })).reply.text, long)

// Streams.
const numbers = []
for await (const n of client.Count({ last: 1000 })) numbers.push(n.value)
assert.equal(numbers.length, 1000)
assert.equal(numbers[999], 1000)
const total = await new Promise((resolve, reject) => {
  const call = client.Sum((e, r) => (e ? reject(e) : resolve(r.value)))
  for (let i = 1; i <= 100; i++) call.write({ value: i })
  call.end()
})
assert.equal(total, 5050)
const chat = client.Chat()
for (const text of ['one', 'two', 'three']) {
  chat.write({ text })
  assert.equal((await new Promise((resolve) => chat.once('data', resolve))).text, text)
}
chat.end()
await new Promise((resolve) => chat.on('end', resolve).resume())

// Failures.
const e = await failure(unary(client, 'Fail', { code: 5, message: 'kein Käse', details: ['a', 'b'] }))
assert.equal(e.code, grpc.status.NOT_FOUND)
assert.equal(e.details, 'kein Käse')
const status = e.metadata.get('grpc-status-details-bin')[0].toString('latin1')
assert.equal(status.split('concordat.interop.v1.Phrase').length, 3)
assert.equal(status.split('concordat.interop.v1.Number').length, 2)
assert.equal((await failure(unary(client, 'Wait', {}, undefined, { deadline: Date.now() + 300 }))).code, grpc.status.DEADLINE_EXCEEDED)
const endless = client.Count({ last: 0 })
await new Promise((resolve) => endless.once('data', resolve))
endless.cancel()
assert.equal((await new Promise((resolve) => endless.on('error', resolve))).code, grpc.status.CANCELLED)

// A client without a certificate is nobody's friend.
const stranger = new pkg.Echo(address, grpc.credentials.createSsl(read('ca.crt')))
assert.equal((await failure(unary(stranger, 'Say', {}, undefined, { deadline: Date.now() + 3000 }))).code, grpc.status.UNAVAILABLE)
for (const c of [client, zipped, stranger]) c.close()
console.log('ok')

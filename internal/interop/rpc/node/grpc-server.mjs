// A server written with @grpc/grpc-js. Arguments: directory with certificates, and
// echo.proto. Prints its address, and ends when standard input does.
import { readFileSync } from 'node:fs'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'
import { encodeStatus } from './status.mjs'

const [dir, proto] = process.argv.slice(2)
const read = (name) => readFileSync(`${dir}/${name}`)
const { Echo } = grpc.loadPackageDefinition(loader.loadSync(proto, { longs: Number })).concordat.interop.v1

const beside = (call) => {
  const header = new grpc.Metadata()
  const trailer = new grpc.Metadata()
  for (const v of call.metadata.get('x-interop')) header.add('x-reply', v), trailer.add('x-trailer', v)
  for (const v of call.metadata.get('x-interop-bin')) trailer.add('x-trailer-bin', v)
  return { header, trailer }
}

const server = new grpc.Server()
server.addService(Echo.service, {
  Say(call, done) {
    const { header, trailer } = beside(call)
    call.sendMetadata(header)
    done(null, call.request, trailer)
  },
  Fail(call, done) {
    const metadata = new grpc.Metadata()
    const { code, message, details } = call.request
    metadata.set('grpc-status-details-bin', encodeStatus(code, message, details))
    done({ code, details: message, metadata })
  },
  Wait() {},
  Count(call) {
    let n = 0
    const { last = 0 } = call.request
    const more = () => {
      while (!call.cancelled && (last === 0 || n < last)) if (!call.write({ value: ++n })) return call.once('drain', more)
      call.end()
    }
    more()
  },
  Sum(call, done) {
    let value = 0
    call.on('data', (n) => (value += n.value))
    call.on('end', () => done(null, { value }))
  },
  Chat(call) {
    call.on('data', (phrase) => call.write(phrase))
    call.on('end', () => call.end())
  },
})
const credentials = grpc.ServerCredentials.createSsl(read('ca.crt'), [{ private_key: read('peer.key'), cert_chain: read('peer.crt') }], true)
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error
  console.log(`127.0.0.1:${port}`)
})
process.stdin.resume().on('end', () => process.exit(0))

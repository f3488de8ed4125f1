// google.rpc.Status by hand: a code, a message, and details that are packed.

const varint = (n) => {
  const out = []
  for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) | 128)
  return Buffer.from([...out, n])
}
const field = (number, data) => Buffer.concat([varint(number * 8 + 2), varint(data.length), data])
const text = (number, s) => field(number, Buffer.from(s))
const any = (type, data) => Buffer.concat([text(1, `type.googleapis.com/concordat.interop.v1.${type}`), field(2, data)])

// encodeStatus is the status that Echo.Fail is asked for.
export const encodeStatus = (code, message, details = []) =>
  Buffer.concat([
    varint(8), varint(code), text(2, message),
    ...details.map((d) => field(3, any('Phrase', text(1, d)))),
    field(3, any('Number', Buffer.concat([varint(8), varint(details.length)]))),
  ])

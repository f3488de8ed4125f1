// The contract as Connect's libraries have it, from a serialised FileDescriptorSet.
import { readFileSync } from 'node:fs'
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

// load returns the service and its messages.
export const load = (file) => {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)))
  const message = (name) => registry.getMessage(`concordat.interop.v1.${name}`)
  return { Echo: registry.getService('concordat.interop.v1.Echo'), Phrase: message('Phrase'), Number: message('Number'), registry }
}

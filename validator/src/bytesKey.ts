/** Bytes as a map's key: one character a byte, which V8 keeps in as many bytes and makes without a loop of ours. */
export function keyOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

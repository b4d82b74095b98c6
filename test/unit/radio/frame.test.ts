import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { decodeFrame, encodeFrame, FRAME_BYTES } from "../../../protocol/src/radio/frame.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test("a frame is 0xE0, version 1, tag and secret", () => {
  const tag = Uint8Array.from([1, 2, 3, 4, 5, 6]);
  const secret = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);
  expect(encodeHex(encodeFrame({ tag, secret }))).toBe("e001010203040506f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
});

test("a frame decodes to what was encoded, in bytes of its own", () => {
  fc.assert(
    fc.property(bytes(6), bytes(16), (tag, secret) => {
      const encoded = encodeFrame({ tag, secret });
      const decoded = decodeFrame(encoded);
      encoded.fill(0);
      expect(decoded).toEqual({ ok: true, frame: { tag, secret } });
    }),
  );
});

test("any other packet is refused with its reason, never by an exception", () => {
  const frame = encodeFrame({ tag: new Uint8Array(6), secret: new Uint8Array(16) });
  const reasonOf = (packet: Uint8Array) => {
    const decoded = decodeFrame(packet);
    return decoded.ok ? null : decoded.reason;
  };
  expect(reasonOf(frame.subarray(1))).toBe("wrong_length");
  expect(reasonOf(Uint8Array.from([...frame, 0]))).toBe("wrong_length");
  expect(reasonOf(new Uint8Array(0))).toBe("wrong_length");
  for (const mhdr of [0xe1, 0x40, 0xc0, 0x00]) expect(reasonOf(frame.with(0, mhdr))).toBe("not_proprietary");
  for (const version of [0, 2, 255]) expect(reasonOf(frame.with(1, version))).toBe("unknown_version");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (packet) => {
      const decoded = decodeFrame(packet);
      if (decoded.ok) expect(encodeFrame(decoded.frame)).toEqual(packet);
      else expect(packet.length === FRAME_BYTES && packet[0] === 0xe0 && packet[1] === 1).toBe(false);
    }),
  );
});

test("a tag or secret of another length is a bug", () => {
  expect(() => encodeFrame({ tag: new Uint8Array(5), secret: new Uint8Array(16) })).toThrow(RangeError);
  expect(() => encodeFrame({ tag: new Uint8Array(6), secret: new Uint8Array(17) })).toThrow(RangeError);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeLength, FrameReader } from "../../../node/src/host/streamFrame.ts";

/** Cuts bytes into chunks at the given places. */
function chop(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : places[i - 1]!, end));
}

describe("a frame on a stream", () => {
  test("comes whole from chunks of any size", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40_000 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (message, cuts) => {
          const reader = new FrameReader(40_000);
          const results = chop(Buffer.concat([encodeLength(message.length), message]), cuts).map((chunk) =>
            reader.push(chunk),
          );
          const whole = results.filter((result) => result !== null);
          expect(whole.length).toBeGreaterThan(0);
          expect(Buffer.from(whole[0] as Uint8Array).equals(message)).toBe(true);
        },
      ),
    );
  });

  test("its length is multiformats' unsigned varint", () => {
    // Examples of the unsigned-varint specification.
    for (const [length, bytes] of [
      [0, [0]],
      [1, [1]],
      [127, [0x7f]],
      [128, [0x80, 0x01]],
      [255, [0xff, 0x01]],
      [300, [0xac, 0x02]],
      [16_384, [0x80, 0x80, 0x01]],
    ] as const) {
      expect([...encodeLength(length)]).toEqual(bytes);
    }
  });

  test("is refused beyond its limit before a byte of it is kept, and where it is malformed", () => {
    expect(new FrameReader(10).push(encodeLength(11))).toBe("oversized");
    expect(new FrameReader(10).push(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toBe("malformed");
    expect(new FrameReader(10).push(Uint8Array.of(0x81, 0x00))).toBe("malformed");
    expect(new FrameReader(10).push(Uint8Array.of(1, 5, 6))).toBe("malformed");
  });

  test("any bytes are read without a fault", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), (chunks) => {
        const reader = new FrameReader(100);
        for (const chunk of chunks) if (reader.push(chunk) !== null) return;
      }),
    );
  });
});

/**
 * The framing of the Semtech UDP protocol (GWMP), versions 1 and 2: a header of 4 or 12 bytes and, in three of the six
 * kinds, JSON behind it. Pure functions; what the JSON says is read elsewhere, after the acknowledgement has gone.
 * Source of the layouts: PROTOCOL.TXT of Lora-net/packet_forwarder and PROTOCOL.md of Lora-net/sx1302_hal.
 */
import { asciiBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex } from "../../../../protocol/src/bytes/hex.ts";

/** Byte 3 of every datagram. */
export const DATAGRAM_IDS = {
  push_data: 0,
  push_ack: 1,
  pull_data: 2,
  pull_resp: 3,
  pull_ack: 4,
  tx_ack: 5,
} as const;
export type DatagramKind = keyof typeof DATAGRAM_IDS;
export type GwmpVersion = 1 | 2;

const KINDS_BY_ID = Object.keys(DATAGRAM_IDS) as DatagramKind[];
const HEADER_BYTES = 4;
const HEADER_WITH_EUI_BYTES = 12;
/**
 * Forwarders pad with one NUL, and some copy their C string's end as well.
 */
const TRAILING_NULS_MAX = 2;
/**
 * The largest datagram read. A concentrator hands over at most 4,096 bytes of its receive buffer a fetch
 * (loragw_sx1302_rx.h), with about 23 bytes around each payload: 170 frames of one byte, at some 250 characters of
 * JSON each, are the longest honest report, 43 kB. UDP's own limit of 65,507 bytes is therefore no honest size.
 */
export const DATAGRAM_MAX_BYTES = 48 * 1024;
/** What a real forwarder reads of a PULL_RESP: one byte more is cut off, and the request dies in silence. */
export const PULL_RESP_MAX_BYTES = 999;

/** Why bytes are no datagram of this protocol. */
export const FRAMING_REFUSALS = [
  "too_short",
  "too_long",
  "version_unknown",
  "kind_unknown",
  "length_wrong",
] as const;
export type FramingRefusal = (typeof FRAMING_REFUSALS)[number];

type WithEui = {
  readonly version: GwmpVersion;
  /** Two opaque bytes as one number, first byte high: written back the way they were read, never calculated with. */
  readonly token: number;
  /** 16 lower-case hexadecimal digits. */
  readonly eui: string;
};

/** A decoded datagram; `body` is a view into the datagram without its trailing NULs. */
export type Datagram =
  | (WithEui & { readonly kind: "push_data" | "tx_ack"; readonly body: Uint8Array })
  | (WithEui & { readonly kind: "pull_data" })
  | { readonly kind: "push_ack" | "pull_ack"; readonly version: GwmpVersion; readonly token: number }
  | {
      readonly kind: "pull_resp";
      readonly version: GwmpVersion;
      readonly token: number;
      readonly body: Uint8Array;
    };

/** Reads the framing of one datagram: the datagram, or the reason why it is none. Never throws. */
export function decodeDatagram(bytes: Uint8Array): Datagram | { kind: "refused"; reason: FramingRefusal } {
  if (bytes.length < HEADER_BYTES) return { kind: "refused", reason: "too_short" };
  if (bytes.length > DATAGRAM_MAX_BYTES) return { kind: "refused", reason: "too_long" };
  const version = bytes[0]!;
  if (version !== 1 && version !== 2) return { kind: "refused", reason: "version_unknown" };
  const kind = KINDS_BY_ID[bytes[3]!];
  if (kind === undefined) return { kind: "refused", reason: "kind_unknown" };
  const token = (bytes[1]! << 8) | bytes[2]!;

  if (kind === "push_ack" || kind === "pull_ack") {
    if (bytes.length !== HEADER_BYTES) return { kind: "refused", reason: "length_wrong" };
    return { kind, version, token };
  }
  if (kind === "pull_resp") {
    return { kind, version, token, body: withoutTrailingNuls(bytes.subarray(HEADER_BYTES)) };
  }
  if (bytes.length < HEADER_WITH_EUI_BYTES) return { kind: "refused", reason: "too_short" };
  const eui = encodeHex(bytes.subarray(HEADER_BYTES, HEADER_WITH_EUI_BYTES));
  const rest = bytes.subarray(HEADER_WITH_EUI_BYTES);
  const body = withoutTrailingNuls(rest);
  if (kind === "pull_data") {
    const padded = body.length === 0 && rest.length <= TRAILING_NULS_MAX;
    return padded ? { kind, version, token, eui } : { kind: "refused", reason: "length_wrong" };
  }
  return { kind, version, token, eui, body };
}

function withoutTrailingNuls(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

/** The four bytes that acknowledge a PUSH_DATA or PULL_DATA, in the version that it came in. */
export function encodeAck(kind: "push_ack" | "pull_ack", version: GwmpVersion, token: number): Uint8Array {
  return encodeHeader(kind, version, token, HEADER_BYTES);
}

/** A PULL_RESP: the server's request to send a frame. @param json the object as text, ASCII only. */
export function encodePullResp(version: GwmpVersion, token: number, json: string): Uint8Array {
  const body = asciiBytes(json);
  const bytes = encodeHeader("pull_resp", version, token, HEADER_BYTES + body.length);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/**
 * One of the three kinds that a forwarder sends.
 * @param eui 16 hexadecimal digits.
 * @param json the object as text, ASCII only; empty for PULL_DATA and for a plain success.
 */
export function encodeFromForwarder(
  kind: "push_data" | "pull_data" | "tx_ack",
  version: GwmpVersion,
  token: number,
  eui: string,
  json = "",
): Uint8Array {
  const body = asciiBytes(json);
  const bytes = encodeHeader(kind, version, token, HEADER_WITH_EUI_BYTES + body.length);
  bytes.set(decodeEui(eui), HEADER_BYTES);
  bytes.set(body, HEADER_WITH_EUI_BYTES);
  return bytes;
}

function encodeHeader(kind: DatagramKind, version: GwmpVersion, token: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[0] = version;
  bytes[1] = (token >> 8) & 0xff;
  bytes[2] = token & 0xff;
  bytes[3] = DATAGRAM_IDS[kind];
  return bytes;
}

function decodeEui(eui: string): Uint8Array {
  const bytes = decodeHex(eui, 8);
  if (bytes === null) throw new RangeError("a gateway EUI is 16 hexadecimal digits");
  return bytes;
}

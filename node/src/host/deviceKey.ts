/**
 * The device key: a P-256 key in a secure element that vouches for the machine. Whoever holds it is asked for signatures
 * only; the key never leaves it. One provider speaks PKCS#11, as every maker's library does, through OpenSC's
 * `pkcs11-tool`: docs/decisions/device-key-provider.md says why a process of its own.
 */
import { spawn } from "node:child_process";
import { createHash, createPublicKey } from "node:crypto";
import { lowerP256Signature } from "../../../protocol/src/crypto/p256.ts";
import { P256_PUBLIC_KEY_BYTES } from "../../../protocol/src/crypto/p256Form.ts";
import { CodedError, isCodedError } from "./codedError.ts";
import { verifyDeviceSignature } from "./verify.ts";

/** Whoever holds a device key. */
export type DeviceKey = {
  /** 33 bytes, a compressed point. */
  readonly publicKey: Uint8Array;
  /** Signs SHA-256 of a message: 64 bytes, low S, verified before it is handed out. @throws CodedError "device_key_failed". */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
};

export type Pkcs11Options = {
  /** The maker's library, such as /usr/lib/softhsm/libsofthsm2.so. */
  readonly module: string;
  /** The token's label, and the id of the key pair in it, in hexadecimal: the tool signs by id only. */
  readonly token: string;
  readonly id: string;
  /** Reads the token's PIN; asked for each signature, and kept by nobody but for the hash of one that was refused. */
  readonly readPin: () => Promise<string>;
  /** The program; for tests. */
  readonly command?: string;
  /** Further variables of the environment, which some libraries are configured by; for tests. */
  readonly env?: NodeJS.ProcessEnv;
};

/** A secure element on a slow bus takes a second. */
const TIMEOUT_MS = 15_000;
/** A public key is 91 bytes and a signature 64; words about a failure are short. */
const MAX_OUTPUT_BYTES = 65_536;
/** The PIN's way to the tool: never an argument, which every user of the machine could read in the list of processes. */
const PIN_VARIABLE = "HEXBEACON_DEVICE_PIN";
/** What PKCS#11 answers to a PIN that is wrong, has another form, has expired or is locked (OASIS PKCS#11, 5.1). */
const REFUSED_PIN = /\bCKR_PIN_[A-Z_]+/;

/**
 * Opens a key pair by token and id.
 * @throws CodedError "device_key_failed" where the tool, the library, the token or the key is not there, or it is no key
 *   of P-256.
 */
export async function openPkcs11DeviceKey(options: Pkcs11Options): Promise<DeviceKey> {
  const { id } = options;
  const end = await runTool(options, ["--read-object", "--type", "pubkey", "--id", id], null, null);
  const publicKey = compressSpki(outputOf(end, options));
  if (publicKey === null) throw failed(`the key ${id} is no key of P-256`);
  let refusedPin: string | null = null;
  return {
    publicKey,
    sign: async (message) => {
      const pin = await readPin(options);
      const pinHash = createHash("sha256").update(pin).digest("hex");
      // Elements lock themselves after three wrong ones or so: one that was refused is not tried again.
      if (pinHash === refusedPin) throw failed(`the token ${options.token} has refused this PIN before`);
      // The tool hashes nothing with the mechanism that every element has.
      const digest = createHash("sha256").update(message).digest();
      const words = ["--login", "--pin", `env:${PIN_VARIABLE}`, "--sign", "--mechanism", "ECDSA"];
      const end = await runTool(options, [...words, "--id", id], digest, pin);
      if (!end.ok && REFUSED_PIN.test(end.said)) refusedPin = pinHash;
      const raw = outputOf(end, options);
      // Elements give either of the two halves; only the low one counts.
      const signature = lowerP256Signature(raw);
      if (signature !== null && verifyDeviceSignature(publicKey, message, signature)) return signature;
      throw failed(`what the key ${id} gave is no signature of it`);
    },
  };
}

/** The compressed point of a DER SubjectPublicKeyInfo; null where it is none of P-256. */
function compressSpki(spki: Uint8Array): Uint8Array | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    const { crv, x, y } = key.export({ format: "jwk" });
    if (crv !== "P-256" || x === undefined || y === undefined) return null;
    const point = new Uint8Array(P256_PUBLIC_KEY_BYTES);
    point.set(Buffer.from(x, "base64url"), 1);
    point[0] = 2 + (Buffer.from(y, "base64url").at(-1)! & 1);
    return point;
  } catch {
    // Node throws at what is no key at all.
    return null;
  }
}

/** The PIN as it is set now. @throws CodedError "device_key_failed" with what keeps its file from being read. */
async function readPin(options: Pkcs11Options): Promise<string> {
  try {
    return await options.readPin();
  } catch (error) {
    if (!isCodedError(error)) throw error;
    throw new CodedError("device_key_failed", `the PIN is not to be had: ${error.message}`, error);
  }
}

/** How a run of the tool ended: with what it gave, or with what it said of its failure. */
type ToolEnd =
  | { readonly ok: true; readonly output: Uint8Array }
  | { readonly ok: false; readonly said: string };

function outputOf(end: ToolEnd, { token }: Pkcs11Options): Uint8Array {
  if (end.ok) return end.output;
  const [line = "it says nothing"] = end.said.split("\n").filter((one) => /error|not found|fail/i.test(one));
  throw failed(`the token ${token} gives nothing: ${line.trim()}`);
}

async function runTool(
  { module, token, command = "pkcs11-tool", env = {} }: Pkcs11Options,
  words: readonly string[],
  input: Uint8Array | null,
  pin: string | null,
): Promise<ToolEnd> {
  const flags = ["--module", module, "--token-label", token, ...words];
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const child = spawn(command, flags, {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
    // Nothing of ours but what it needs: the environment may hold a passphrase.
    env: { PATH: process.env.PATH, ...env, ...(pin === null ? {} : { [PIN_VARIABLE]: pin }) },
  });
  const output: Buffer[] = [];
  let bytes = 0;
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_OUTPUT_BYTES) output.push(chunk);
    else child.kill("SIGKILL");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("latin1")).slice(-500);
  });
  child.on("error", (cause: NodeJS.ErrnoException) =>
    reject(
      failed(cause.code === "ENOENT" ? `there is no ${command}: install opensc` : `cannot run ${command}`),
    ),
  );
  child.on("close", resolve);
  // One that ends without reading is told by its status.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? undefined);
  const status = await promise;
  if (status === 0 && bytes <= MAX_OUTPUT_BYTES) return { ok: true, output: Buffer.concat(output) };
  return { ok: false, said };
}

function failed(words: string): CodedError {
  return new CodedError("device_key_failed", words);
}

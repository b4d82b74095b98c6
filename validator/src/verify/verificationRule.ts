/**
 * A check of the verifier itself, made by every thread before its first job: does this libsodium judge by the
 * network's rule? Releases differ. 1.0.21 compares bytes without the cofactor, as the network does; later sources
 * multiply by the cofactor and so accept more. A validator that judged by another rule would part from the others
 * at the first crafted signature, so it must not start.
 */
import { asciiBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { VerifyDetached } from "./signatureJob.ts";

interface RuleCase {
  readonly message: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

/**
 * Cases 2, 3, 4, 6 and 10 of "Taming the many EdDSAs" (SSR 2020): a small-order R, a valid signature, one that holds
 * only with the cofactor, an S above the group's order, and a key that is not canonical.
 */
const RULE_CASES: readonly RuleCase[] = [
  ruleCase(
    "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
    "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
    false,
  ),
  ruleCase(
    "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
    "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
    "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
    true,
  ),
  ruleCase(
    "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
    "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
    "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
    false,
  ),
  ruleCase(
    "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
    "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
    "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
    false,
  ),
  ruleCase(
    "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    false,
  ),
];

/** Whether a verifier gives the network's answer to each case. */
export function checkVerificationRule(verify: VerifyDetached): boolean {
  return RULE_CASES.every(
    ({ signature, message, publicKey, valid }) => verify(signature, message, publicKey) === valid,
  );
}

/** RFC 6979, appendix A.2.5, SHA-256, message "sample": as published with its high s, and with the low one that counts. */
const DEVICE_KEY = decodeHex("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6", 33)!;
const DEVICE_R = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
const DEVICE_CASES = [
  { s: "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9", valid: true },
  { s: "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8", valid: false },
  { s: "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a8", valid: false },
] as const;

/** Whether a verifier of device keys gives the network's answer: that OpenSSL has the curve, and judges by our rule. */
export function checkDeviceRule(verify: VerifyDetached): boolean {
  const message = asciiBytes("sample");
  return DEVICE_CASES.every(
    ({ s, valid }) => verify(decodeHex(DEVICE_R + s, 64)!, message, DEVICE_KEY) === valid,
  );
}

function ruleCase(message: string, publicKey: string, signature: string, valid: boolean): RuleCase {
  return {
    message: decodeHex(message, 32)!,
    publicKey: decodeHex(publicKey, 32)!,
    signature: decodeHex(signature, 64)!,
    valid,
  };
}

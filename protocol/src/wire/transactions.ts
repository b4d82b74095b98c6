/**
 * Transactions: what an account signs to move money, to say where a hotspot is or to stake for a validator. Each body
 * carries its epoch and the account's nonce, and with it the consent of the keys that it speaks for.
 */
import { ContainerType, ListCompositeType } from "@chainsafe/ssz";
import { asciiBytes } from "../bytes/bytes.ts";
import {
  type Assertion,
  AssertionSsz,
  areStakeMultiaddrs,
  MultiaddrsSsz,
  type Registration,
  RegistrationSsz,
  rawAssertion,
} from "./consents.ts";
import { Bytes32, Bytes33, Bytes64, decodeStrict, toInt16, toInt32, Uint64, UintBig64 } from "./ssz.ts";

const RegisterSsz = new ContainerType(
  {
    epoch: Uint64,
    nonce: Uint64,
    registration: RegistrationSsz,
    hotspotSignature: Bytes64,
    ownerSignature: Bytes64,
  },
  { typeName: "Register" },
);
const AssertSsz = new ContainerType(
  { epoch: Uint64, nonce: Uint64, assertion: AssertionSsz, hotspotSignature: Bytes64 },
  { typeName: "Assert" },
);
const TransferSsz = new ContainerType(
  { epoch: Uint64, nonce: Uint64, to: Bytes32, amount: UintBig64 },
  { typeName: "Transfer" },
);

const DeregisterSsz = new ContainerType(
  { epoch: Uint64, nonce: Uint64, hotspot: Bytes32 },
  { typeName: "Deregister" },
);

const StakeSsz = new ContainerType(
  {
    epoch: Uint64,
    nonce: Uint64,
    validator: Bytes32,
    amount: UintBig64,
    multiaddrs: MultiaddrsSsz,
    validatorSignature: Bytes64,
  },
  { typeName: "Stake" },
);
const UnstakeSsz = new ContainerType(
  { epoch: Uint64, nonce: Uint64, validator: Bytes32 },
  { typeName: "Unstake" },
);

/** Counterparts that an appeal names: as many as a finding names receptions. */
export const MAX_APPEAL_EVIDENCE = 14;
const AppealSsz = new ContainerType(
  {
    epoch: Uint64,
    nonce: Uint64,
    hotspot: Bytes32,
    evidence: new ListCompositeType(Bytes32, MAX_APPEAL_EVIDENCE),
  },
  { typeName: "Appeal" },
);

const RotateSsz = new ContainerType(
  {
    epoch: Uint64,
    nonce: Uint64,
    hotspot: Bytes32,
    newKey: Bytes32,
    hotspotSignature: Bytes64,
    newSignature: Bytes64,
  },
  { typeName: "Rotate" },
);

const BindSsz = new ContainerType(
  {
    epoch: Uint64,
    nonce: Uint64,
    hotspot: Bytes32,
    deviceKey: Bytes33,
    hotspotSignature: Bytes64,
    deviceSignature: Bytes64,
  },
  { typeName: "Bind" },
);
const UnbindSsz = new ContainerType(
  { epoch: Uint64, nonce: Uint64, hotspot: Bytes32 },
  { typeName: "Unbind" },
);

/** Sent by whoever pays the bond; owner and hotspot have signed the registration. */
export type RegisterTransaction = {
  readonly kind: "register";
  readonly epoch: number;
  readonly nonce: number;
  readonly registration: Registration;
  readonly hotspotSignature: Uint8Array;
  readonly ownerSignature: Uint8Array;
};
/** Sent by the owner; the hotspot has signed the assertion. In force from the next epoch. */
export type AssertTransaction = {
  readonly kind: "assert";
  readonly epoch: number;
  readonly nonce: number;
  readonly assertion: Assertion;
  readonly hotspotSignature: Uint8Array;
};
/** Moves base units from the sender to an account, which it opens where there is none. */
export type TransferTransaction = {
  readonly kind: "transfer";
  readonly epoch: number;
  readonly nonce: number;
  readonly to: Uint8Array;
  readonly amount: bigint;
};
/** Sent by the owner: ends a hotspot's registration. Its bond returns to who paid it after `unbondEpochs`. */
export type DeregisterTransaction = {
  readonly kind: "deregister";
  readonly epoch: number;
  readonly nonce: number;
  readonly hotspot: Uint8Array;
};
/**
 * Locks `amount` of the sender's for a validator, on top of what is there; 0 only changes the addresses. The sender owns
 * the stake. `validatorSignature`: over the `Membership` that `membershipOf` gives.
 */
export type StakeTransaction = {
  readonly kind: "stake";
  readonly epoch: number;
  readonly nonce: number;
  readonly validator: Uint8Array;
  readonly amount: bigint;
  readonly multiaddrs: readonly string[];
  readonly validatorSignature: Uint8Array;
};
/** Sent by who owns the stake: the validator leaves, and the stake returns `unbondEpochs` after its last seat. */
export type UnstakeTransaction = {
  readonly kind: "unstake";
  readonly epoch: number;
  readonly nonce: number;
  readonly validator: Uint8Array;
};
/**
 * Sent by the owner of a hotspot against which a finding stands: asks that its findings be judged anew. `evidence`: keys of
 * 1 to 14 hotspots with which it has valid links on record.
 */
export type AppealTransaction = {
  readonly kind: "appeal";
  readonly epoch: number;
  readonly nonce: number;
  readonly hotspot: Uint8Array;
  readonly evidence: readonly Uint8Array[];
};
/** Sent by the owner: the hotspot goes on under another key. Both keys have signed the rotation. */
export type RotateTransaction = {
  readonly kind: "rotate";
  readonly epoch: number;
  readonly nonce: number;
  readonly hotspot: Uint8Array;
  readonly newKey: Uint8Array;
  readonly hotspotSignature: Uint8Array;
  readonly newSignature: Uint8Array;
};
/**
 * Sent by the owner: from the next epoch on the hotspot's beacons count only with this device's co-signature. Both keys
 * have signed the binding; `deviceSignature` is the device's proof that it has the key.
 */
export type BindTransaction = {
  readonly kind: "bind";
  readonly epoch: number;
  readonly nonce: number;
  readonly hotspot: Uint8Array;
  readonly deviceKey: Uint8Array;
  readonly hotspotSignature: Uint8Array;
  readonly deviceSignature: Uint8Array;
};
/**
 * Sent by the owner alone: from the next epoch on the hotspot's beacons count without a device. The element may be lost or
 * broken, and the hotspot's key in somebody else's hands, so neither of them has a say.
 */
export type UnbindTransaction = {
  readonly kind: "unbind";
  readonly epoch: number;
  readonly nonce: number;
  readonly hotspot: Uint8Array;
};
export type Transaction =
  | RegisterTransaction
  | AssertTransaction
  | TransferTransaction
  | DeregisterTransaction
  | StakeTransaction
  | UnstakeTransaction
  | AppealTransaction
  | RotateTransaction
  | BindTransaction
  | UnbindTransaction;
export type TransactionKind = Transaction["kind"];
export const TRANSACTION_KINDS = [
  "register",
  "assert",
  "transfer",
  "deregister",
  "stake",
  "unstake",
  "appeal",
  "rotate",
  "bind",
  "unbind",
] as const satisfies readonly TransactionKind[];

/** The largest body of any transaction. */
export const MAX_TRANSACTION_BYTES = Math.max(
  RegisterSsz.fixedSize!,
  AssertSsz.fixedSize!,
  TransferSsz.fixedSize!,
  DeregisterSsz.fixedSize!,
  StakeSsz.maxSize,
  UnstakeSsz.fixedSize!,
  AppealSsz.maxSize,
  RotateSsz.fixedSize!,
  BindSsz.fixedSize!,
  UnbindSsz.fixedSize!,
);

/** The body bytes of an envelope of the transaction's kind. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  switch (transaction.kind) {
    case "register":
      return RegisterSsz.serialize(transaction);
    case "assert":
      return AssertSsz.serialize({ ...transaction, assertion: rawAssertion(transaction.assertion) });
    case "transfer":
      return TransferSsz.serialize(transaction);
    case "deregister":
      return DeregisterSsz.serialize(transaction);
    case "stake":
      return StakeSsz.serialize({ ...transaction, multiaddrs: transaction.multiaddrs.map(asciiBytes) });
    case "unstake":
      return UnstakeSsz.serialize(transaction);
    case "appeal":
      return AppealSsz.serialize({ ...transaction, evidence: [...transaction.evidence] });
    case "rotate":
      return RotateSsz.serialize(transaction);
    case "bind":
      return BindSsz.serialize(transaction);
    case "unbind":
      return UnbindSsz.serialize(transaction);
  }
}

/** Strictly decodes a transaction's body; null where malformed. Ranges and balances are execution's. */
export function decodeTransaction(kind: TransactionKind, bytes: Uint8Array): Transaction | null {
  switch (kind) {
    case "register": {
      const raw = decodeStrict(RegisterSsz, bytes, MAX_TRANSACTION_BYTES);
      return raw && { kind, ...raw };
    }
    case "assert": {
      const raw = decodeStrict(AssertSsz, bytes, MAX_TRANSACTION_BYTES);
      if (raw === null) return null;
      const { latE7, lngE7, gainCentiDbi, elevationM, ...rest } = raw.assertion;
      const assertion = {
        ...rest,
        latE7: toInt32(latE7),
        lngE7: toInt32(lngE7),
        gainCentiDbi: toInt16(gainCentiDbi),
        elevationM: toInt16(elevationM),
      };
      return { kind, ...raw, assertion };
    }
    case "transfer": {
      const raw = decodeStrict(TransferSsz, bytes, MAX_TRANSACTION_BYTES);
      return raw && { kind, ...raw };
    }
    case "deregister": {
      const raw = decodeStrict(DeregisterSsz, bytes, MAX_TRANSACTION_BYTES);
      return raw && { kind, ...raw };
    }
    case "stake": {
      const raw = decodeStrict(StakeSsz, bytes, MAX_TRANSACTION_BYTES);
      if (raw === null) return null;
      const multiaddrs = raw.multiaddrs.map((text) => String.fromCharCode(...text));
      return areStakeMultiaddrs(multiaddrs) ? { kind, ...raw, multiaddrs } : null;
    }
    case "unstake": {
      const raw = decodeStrict(UnstakeSsz, bytes, MAX_TRANSACTION_BYTES);
      return raw && { kind, ...raw };
    }
    case "appeal": {
      const raw = decodeStrict(AppealSsz, bytes, MAX_TRANSACTION_BYTES);
      return raw === null || raw.evidence.length === 0 ? null : { kind, ...raw };
    }
    case "rotate": {
      const raw = decodeStrict(RotateSsz, bytes, MAX_TRANSACTION_BYTES);
      return raw && { kind, ...raw };
    }
    case "bind": {
      const raw = decodeStrict(BindSsz, bytes, MAX_TRANSACTION_BYTES);
      return raw && { kind, ...raw };
    }
    case "unbind": {
      const raw = decodeStrict(UnbindSsz, bytes, MAX_TRANSACTION_BYTES);
      return raw && { kind, ...raw };
    }
  }
}

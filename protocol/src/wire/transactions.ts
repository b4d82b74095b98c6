/**
 * Transactions: what an account signs to move money, to say where a hotspot is or to stake for a validator. Each body
 * carries its epoch and the account's nonce, and with it the consent of the keys that it speaks for.
 */
import { ByteListType, ContainerType, ListCompositeType } from "@chainsafe/ssz";
import { asciiBytes } from "../bytes/bytes.ts";
import {
  Bytes32,
  Bytes64,
  decodeStrict,
  fromInt16,
  fromInt32,
  toInt16,
  toInt32,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  UintBig64,
} from "./ssz.ts";

const RegistrationSsz = new ContainerType(
  { hotspot: Bytes32, owner: Bytes32, epoch: Uint64 },
  { typeName: "Registration" },
);
const AssertionSsz = new ContainerType(
  {
    hotspot: Bytes32,
    cell: UintBig64,
    latE7: Uint32,
    lngE7: Uint32,
    gainCentiDbi: Uint16,
    elevationM: Uint16,
    region: Uint8,
    epoch: Uint64,
  },
  { typeName: "Assertion" },
);
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

/** Addresses of a validator in a transaction: a few ways to one machine, each a peer's whole multiaddr. */
export const MAX_STAKE_MULTIADDRS = 4;
export const MAX_STAKE_MULTIADDR_BYTES = 128;
const MultiaddrsSsz = new ListCompositeType(
  new ByteListType(MAX_STAKE_MULTIADDR_BYTES),
  MAX_STAKE_MULTIADDRS,
);
const MembershipSsz = new ContainerType(
  { validator: Bytes32, owner: Bytes32, epoch: Uint64, multiaddrs: MultiaddrsSsz },
  { typeName: "Membership" },
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

const RotationSsz = new ContainerType(
  { hotspot: Bytes32, newKey: Bytes32, epoch: Uint64 },
  { typeName: "Rotation" },
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

/** What hotspot and owner both consent to, signed under the domain `registration`. */
export type Registration = {
  readonly hotspot: Uint8Array;
  readonly owner: Uint8Array;
  readonly epoch: number;
};
/** Where a hotspot says it stands, signed by it under the domain `assertion`. `cell`: H3 index, resolution 12. */
export type Assertion = {
  readonly hotspot: Uint8Array;
  readonly cell: bigint;
  readonly latE7: number;
  readonly lngE7: number;
  readonly gainCentiDbi: number;
  readonly elevationM: number;
  readonly region: number;
  readonly epoch: number;
};
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
 * What a validator consents to, signed under the domain `membership`: that this account stakes for it and gets the stake
 * back, and under which addresses it is reached.
 */
export type Membership = {
  readonly validator: Uint8Array;
  readonly owner: Uint8Array;
  readonly epoch: number;
  readonly multiaddrs: readonly string[];
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
/** What a hotspot's old key and its new one both consent to, signed under the domain `rotation`. */
export type Rotation = {
  readonly hotspot: Uint8Array;
  readonly newKey: Uint8Array;
  readonly epoch: number;
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
export type Transaction =
  | RegisterTransaction
  | AssertTransaction
  | TransferTransaction
  | DeregisterTransaction
  | StakeTransaction
  | UnstakeTransaction
  | AppealTransaction
  | RotateTransaction;
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
);

const rawAssertion = (a: Assertion) => ({
  ...a,
  latE7: fromInt32(a.latE7),
  lngE7: fromInt32(a.lngE7),
  gainCentiDbi: fromInt16(a.gainCentiDbi),
  elevationM: fromInt16(a.elevationM),
});

/** The bytes that hotspot and owner sign under the domain `registration`. */
export function encodeRegistration(registration: Registration): Uint8Array {
  return RegistrationSsz.serialize(registration);
}

/** The bytes that a hotspot signs under the domain `assertion`. */
export function encodeAssertion(assertion: Assertion): Uint8Array {
  return AssertionSsz.serialize(rawAssertion(assertion));
}

/** The bytes that a hotspot's old key and its new one sign under the domain `rotation`. */
export function encodeRotation({ hotspot, newKey, epoch }: Rotation): Uint8Array {
  return RotationSsz.serialize({ hotspot, newKey, epoch });
}

/** What the validator must have signed for a sender to stake for it. */
export function membershipOf(
  { validator, epoch, multiaddrs }: Pick<StakeTransaction, "validator" | "epoch" | "multiaddrs">,
  sender: Uint8Array,
): Membership {
  return { validator, owner: sender, epoch, multiaddrs };
}

/** The bytes that a validator signs under the domain `membership`. */
export function encodeMembership(membership: Membership): Uint8Array {
  return MembershipSsz.serialize({ ...membership, multiaddrs: membership.multiaddrs.map(asciiBytes) });
}

/** Whether addresses fit a `stake`: few, short, each a multiaddr in printable ASCII without spaces. */
export function areStakeMultiaddrs(multiaddrs: readonly string[]): boolean {
  return (
    multiaddrs.length <= MAX_STAKE_MULTIADDRS &&
    multiaddrs.every((text) => text.length <= MAX_STAKE_MULTIADDR_BYTES && /^\/[\x21-\x7e]+$/.test(text))
  );
}

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
  }
}

/**
 * Consents: what the keys that a transaction speaks for sign beside its sender, each in a domain of its own. Registration
 * and assertion travel inside their transaction; the others do not, since the transaction and its sender say the same.
 */
import { ByteListType, ContainerType, ListCompositeType } from "@chainsafe/ssz";
import { asciiBytes } from "../bytes/bytes.ts";
import { Bytes32, Bytes33, fromInt16, fromInt32, Uint8, Uint16, Uint32, Uint64, UintBig64 } from "./ssz.ts";

export const RegistrationSsz = new ContainerType(
  { hotspot: Bytes32, owner: Bytes32, epoch: Uint64 },
  { typeName: "Registration" },
);
export const AssertionSsz = new ContainerType(
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

/** Addresses of a validator in a transaction: a few ways to one machine, each a peer's whole multiaddr. */
export const MAX_STAKE_MULTIADDRS = 4;
export const MAX_STAKE_MULTIADDR_BYTES = 128;
export const MultiaddrsSsz = new ListCompositeType(
  new ByteListType(MAX_STAKE_MULTIADDR_BYTES),
  MAX_STAKE_MULTIADDRS,
);
const MembershipSsz = new ContainerType(
  { validator: Bytes32, owner: Bytes32, epoch: Uint64, multiaddrs: MultiaddrsSsz },
  { typeName: "Membership" },
);

const RotationSsz = new ContainerType(
  { hotspot: Bytes32, newKey: Bytes32, epoch: Uint64 },
  { typeName: "Rotation" },
);
const BindingSsz = new ContainerType(
  { hotspot: Bytes32, deviceKey: Bytes33, epoch: Uint64 },
  { typeName: "Binding" },
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
/** What a hotspot's old key and its new one both consent to, signed under the domain `rotation`. */
export type Rotation = {
  readonly hotspot: Uint8Array;
  readonly newKey: Uint8Array;
  readonly epoch: number;
};
/** What a hotspot's key and a device key (P-256, a compressed point) both consent to, signed under the domain `binding`. */
export type Binding = {
  readonly hotspot: Uint8Array;
  readonly deviceKey: Uint8Array;
  readonly epoch: number;
};

/** An assertion in the wire's unsigned types. */
export const rawAssertion = (a: Assertion) => ({
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

/** The bytes that a hotspot's key and its device's sign under the domain `binding`. */
export function encodeBinding({ hotspot, deviceKey, epoch }: Binding): Uint8Array {
  return BindingSsz.serialize({ hotspot, deviceKey, epoch });
}

/** What the validator must have signed for a sender to stake for it. */
export function membershipOf(
  { validator, epoch, multiaddrs }: Omit<Membership, "owner">,
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

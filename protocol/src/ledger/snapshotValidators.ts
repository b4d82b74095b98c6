/** The part of a snapshot that holds the validators on record and the sets of the epochs around the next round. */
import { createValidatorSet } from "../agreement/certificates.ts";
import { asciiBytes } from "../bytes/bytes.ts";
import type { ByteReader } from "./byteReader.ts";
import type { ByteWriter } from "./byteWriter.ts";
import type { Ledger } from "./state.ts";

export function writeValidators(out: ByteWriter, { validators, sets }: Ledger): void {
  out.list(validators.list, (record) => {
    out.bytes(record.key);
    out.int32(record.owner.index);
    out.amount(record.stake);
    out.int64(record.sinceEpoch);
    out.optional(record.unbondingUntilEpoch, (epoch) => out.int64(epoch));
    out.uint8(record.isTombstoned ? 1 : 0);
    out.list(record.multiaddrs, (multiaddr) => {
      out.int32(multiaddr.length);
      out.bytes(asciiBytes(multiaddr));
    });
    out.int64(record.laneEnd.seq);
    out.bytes(record.laneEnd.digest);
  });
  out.list(
    [...sets].sort(([a], [b]) => a - b),
    ([epoch, set]) => {
      out.int64(epoch);
      out.list(set.keys, (key) => out.int32(validators.find(key)!.index));
    },
  );
}

/** Into a ledger without validators, whose accounts are read. @throws RangeError where it names what is not there. */
export function readValidators(input: ByteReader, { accounts, validators, sets }: Ledger): void {
  input.list(() => {
    const key = input.bytes(32);
    const owner = accounts.list[input.uint32()];
    if (owner === undefined) throw new RangeError("a stake of an account that does not exist");
    const record = validators.open(key, owner, 0);
    record.stake = input.amount();
    record.sinceEpoch = input.int64();
    record.unbondingUntilEpoch = input.optional(() => input.int64());
    record.isTombstoned = input.uint8() === 1;
    record.multiaddrs = input.list(() => String.fromCharCode(...input.bytes(input.uint32())));
    record.laneEnd = { seq: input.int64(), digest: input.bytes(32) };
  });
  input.list(() => {
    const epoch = input.int64();
    const keys = input.list(() => {
      const record = validators.list[input.uint32()];
      if (record === undefined) throw new RangeError("a seat of a validator that does not exist");
      return record.key;
    });
    sets.set(epoch, createValidatorSet(keys));
  });
}

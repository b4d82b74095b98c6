/** What strangers can make the server of snapshots read: one at a time, once for all, and another now and then. */
import { expect, test } from "vitest";
import { SnapshotServer } from "../../../validator/src/execution/snapshotServer.ts";
import { ManualClock } from "./support/manualClock.ts";

function openServer(epochs: readonly number[]) {
  const clock = new ManualClock(0);
  const reads: number[] = [];
  const server = new SnapshotServer({
    elapsedMs: clock.elapsedMs,
    store: {
      hasSnapshot: async (epoch) => epochs.includes(epoch),
      snapshotAtOrBefore: async (epoch) => {
        reads.push(epoch);
        return { epoch, bytes: Uint8Array.of(epoch, 1, 2), stateRoot: new Uint8Array(32) };
      },
    },
  });
  return { server, clock, reads };
}

test("a snapshot is read once for all who ask about it", async () => {
  const { server, reads } = openServer([5]);
  const manifests = await Promise.all(Array.from({ length: 16 }, () => server.manifest(5)));
  expect(new Set(manifests).size).toBe(1);
  expect(manifests[0]).not.toBeNull();
  expect(await server.piece(5, 0)).toEqual(Uint8Array.of(5, 1, 2));
  expect(await server.piece(5, 1)).toBeNull();
  expect(reads).toEqual([5]);
});

test("nothing is read for an epoch of which there is no snapshot", async () => {
  const { server, reads } = openServer([5]);
  for (const epoch of [4, 6, 2 ** 40]) {
    expect(await server.manifest(epoch)).toBeNull();
    expect(await server.piece(epoch, 0)).toBeNull();
  }
  expect(reads).toEqual([]);
});

test("who changes between snapshots makes it read another one now and then", async () => {
  const { server, clock, reads } = openServer([5, 6, 7]);
  for (let i = 0; i < 9; i++) await server.piece(5 + (i % 3), 0);
  expect(reads).toEqual([5, 6]);
  // The manifests of both are remembered, and both are served.
  expect(await server.manifest(5)).not.toBeNull();
  const first = async (epoch: number) => (await server.piece(epoch, 0))?.[0];
  expect([await first(5), await first(6), await first(7)]).toEqual([5, 6, undefined]);
  clock.advance(10_000);
  expect([await first(7), await first(5), await first(6)]).toEqual([7, undefined, 6]);
  expect(reads).toEqual([5, 6, 7]);
});

test("others' questions do not put away the snapshot that somebody fetches, until its turn is over", async () => {
  const { server, clock } = openServer([3, 4, 5, 6, 7]);
  for (let second = 0; second < 60; second++) {
    expect(await server.manifest(5)).not.toBeNull();
    expect(await server.piece(5, 0)).not.toBeNull();
    for (const other of [7, 3, 4]) await server.piece(other, 0);
    expect(await server.piece(6, 0)).toBeNull();
    clock.advance(1_000);
  }
  expect(await server.piece(6, 0)).not.toBeNull();
});

test("what nobody asks about makes room, and is read again", async () => {
  const { server, clock, reads } = openServer([5]);
  await server.piece(5, 0);
  clock.advance(60_001);
  server.forgetUnused();
  expect(await server.piece(5, 0)).not.toBeNull();
  expect(reads).toEqual([5, 5]);
});

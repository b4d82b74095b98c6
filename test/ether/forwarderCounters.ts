/** What a simulated forwarder has done and suffered, for tests to look at. */

export type ForwarderCounters = {
  pushSent: number;
  pushAcked: number;
  pullSent: number;
  pullAcked: number;
  /** Frames heard on one of the channels, those with a good checksum, those handed on, and those lost in the queue. */
  heard: number;
  heardGood: number;
  forwarded: number;
  dropped: number;
  /** Requests received, those answered with silence, those refused, and frames that left the antenna. */
  requests: number;
  silences: number;
  refused: number;
  emitted: number;
  /** Datagrams that the system reported as undeliverable: nobody listens. */
  socketErrors: number;
  /** 1 where a request has ended the process, as a real one would have. */
  exits: number;
};

/** All at zero. */
export function createCounters(): ForwarderCounters {
  return {
    pushSent: 0,
    pushAcked: 0,
    pullSent: 0,
    pullAcked: 0,
    heard: 0,
    heardGood: 0,
    forwarded: 0,
    dropped: 0,
    requests: 0,
    silences: 0,
    refused: 0,
    emitted: 0,
    socketErrors: 0,
    exits: 0,
  };
}

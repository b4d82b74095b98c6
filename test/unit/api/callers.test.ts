/** Who asks: proxies whose word is believed, and addresses that hold as many connections as one may. */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import {
  createDoor,
  createProxyCheck,
  MAX_HTTP_CONNECTIONS_PER_ADDRESS,
} from "../../../validator/src/api/callers.ts";

describe("a proxy", () => {
  const isProxy = createProxyCheck(["192.0.2.1", "10.0.0.0/8", "2001:db8:5::/48"]);

  test.each([
    ["192.0.2.1", true],
    ["192.0.2.2", false],
    ["10.200.3.4", true],
    ["::ffff:10.0.0.1", true],
    ["11.0.0.0", false],
    ["2001:db8:5:ffff::1", true],
    ["2001:db8:6::1", false],
    ["unknown", false],
    ["", false],
    [undefined, false],
  ])("is not %s unless it was named: %s", (address, expected) => {
    expect(isProxy(address)).toBe(expected);
  });
});

describe("connections", () => {
  const createSide = () => {
    const enter = createDoor(createProxyCheck(["192.0.2.99"]));
    return (remoteAddress: string) => {
      const socket = Object.assign(new EventEmitter(), { remoteAddress, isOpen: true, destroy: () => {} });
      socket.destroy = () => {
        socket.isOpen = false;
      };
      enter(socket as unknown as Socket);
      return socket;
    };
  };

  test("of one address are so many and no more, until one of them is closed", () => {
    const come = createSide();
    const all = Array.from({ length: MAX_HTTP_CONNECTIONS_PER_ADDRESS }, () => come("192.0.2.1"));
    expect(all.every(({ isOpen }) => isOpen)).toBe(true);
    expect([come("192.0.2.1").isOpen, come("::ffff:192.0.2.1").isOpen]).toEqual([false, false]);
    expect(come("192.0.2.2").isOpen).toBe(true);
    all[0]!.emit("close");
    expect([come("192.0.2.1").isOpen, come("192.0.2.1").isOpen]).toEqual([true, false]);
  });

  test("of an IPv6 network are counted together; a proxy and loopback bring any number", () => {
    const come = createSide();
    for (let host = 1; host <= MAX_HTTP_CONNECTIONS_PER_ADDRESS; host++) {
      come(`2001:db8::${host.toString(16)}`);
      for (const address of ["192.0.2.99", "127.0.0.1", "::1"]) come(address);
    }
    const isOpen = (address: string) => come(address).isOpen;
    expect(["2001:db8::ffff", "2001:db8:0:1::1", "192.0.2.99", "127.0.0.1", "::1"].map(isOpen)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { readApiAddress } from "../../../validator/explorer/src/data/apiAddress.ts";

describe("the address of an API", () => {
  test.each([
    ["https://validator.example.net", "https://validator.example.net"],
    [" https://Validator.Example.net/ ", "https://validator.example.net"],
    ["https://example.net:8443/hexbeacon/", "https://example.net:8443/hexbeacon"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://localhost:8080/", "http://localhost:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
  ])("is read as %s", (text, address) => {
    expect(readApiAddress(text, "https:")).toEqual({ ok: true, address });
  });

  test.each([
    ["", "is no http or https address"],
    ["validator.example.net", "is no http or https address"],
    ["//validator.example.net", "is no http or https address"],
    ["javascript:alert(1)", "is no http or https address"],
    ["data:application/json,{}", "is no http or https address"],
    ["file:///etc/passwd", "is no http or https address"],
    ["wss://validator.example.net", "is no http or https address"],
    ["https://", "is no http or https address"],
    ["https://me:secret@validator.example.net", "has a name or a password in it"],
    ["https://validator.example.net/?key=1", "has more than a host and a path"],
    ["https://validator.example.net/#v1", "has more than a host and a path"],
    ["http://validator.example.net", "a page that came over https may ask no other"],
    ["http://127.0.0.1.example.net", "a page that came over https may ask no other"],
  ])("is refused: %s", (text, why) => {
    expect(readApiAddress(text, "https:")).toEqual({ ok: false, why: expect.stringContaining(why) });
  });

  test("may be http where the page is", () => {
    expect(readApiAddress("http://validator.example.net", "http:")).toMatchObject({ ok: true });
  });
});

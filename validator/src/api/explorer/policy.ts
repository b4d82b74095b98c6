/** What the explorer's document may load and ask, for a browser to enforce (W3C, Content Security Policy Level 3). */

/** @param apiOrigins where else than at its own origin the document asks for data. */
export function describePolicy(apiOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    // Code sets single properties, which needs no leave; style attributes and elements are refused.
    "style-src 'self'",
    "img-src 'self' data: blob:",
    ["connect-src 'self'", ...apiOrigins].join(" "),
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join("; ");
}

/** For the explorer that a validator serves. Framing can be forbidden only by a header, not in the document. */
export const CONTENT_SECURITY_POLICY = `${describePolicy([])}; frame-ancestors 'none'`;

/** A verifier thread that dies before its first word, as where the native library is missing. */
throw new Error("no library here");

/** The plain store passes the suite that every store must pass. */
import { createMemoryStore } from "../../store/memoryStore.ts";
import { testStoreCompliance } from "./compliance.ts";

testStoreCompliance("memory store", async ({ genesis }) => createMemoryStore(genesis));

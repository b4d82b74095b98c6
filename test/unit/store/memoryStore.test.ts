import { createMemoryStore } from "../../../validator/src/store/memoryStore.ts";
import { testStoreCompliance } from "./compliance.ts";

testStoreCompliance("memory store", async ({ genesis }) => createMemoryStore(genesis));

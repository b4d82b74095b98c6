/** `validator migrate`: a home's store of an older program, brought to this one's schema before the validator runs. */
import { ConfigErrors, type NodeIo, printLine } from "../../../node/src/cli/io.ts";
import { isThere } from "../../../node/src/host/durableFile.ts";
import { homePaths } from "../home.ts";
import { createIdentity } from "../identity.ts";
import { openVotes } from "../rounds/votes.ts";
import { migrateHome } from "../storage.ts";
import { explainingFailure } from "../storageFailure.ts";
import { type MigrationPlan, planMigration } from "../store/sqliteStore/migrations.ts";
import { readGenesisFile, readHomeFlag, readKey } from "./configuration.ts";

export type MigrateFlags = { readonly home?: string; readonly genesis?: string; readonly check?: boolean };

/** Migrates, or says what would be done. `validator run` does the same at its start. */
export async function migrate(flags: MigrateFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const home = readHomeFlag(flags, faults);
  const genesis = await readGenesisFile(flags, faults);
  const keyPair = home === "" ? null : await readKey(home, faults);
  if (faults.length > 0 || genesis === null || keyPair === null) throw new ConfigErrors(faults);
  const { networkId, signer } = createIdentity(genesis, keyPair.secretSeed);
  const paths = homePaths(home);
  if (!(await isThere(paths.store))) {
    printLine(io, `There is no store in ${home} yet: validator run makes one of this program's schema.`);
    return;
  }
  await explainingFailure(home, async () => {
    if (flags.check === true) {
      printLine(io, describe(planMigration(paths.store, networkId), "would be migrated"));
      return;
    }
    // Whoever has the votes has the home: nothing is changed under a validator that runs.
    const votes = openVotes(paths.votes, { network: networkId, validator: signer.publicKey });
    try {
      printLine(io, describe(await migrateHome(paths.store, networkId, () => {}), "is migrated"));
    } finally {
      votes.close();
    }
  });
}

function describe(plan: MigrationPlan | null, what: string): string {
  if (plan === null) return "The store is of this program's schema.";
  return `The store ${what} from schema ${plan.from} to ${plan.to}; as it was it stays in ${plan.copy}.`;
}

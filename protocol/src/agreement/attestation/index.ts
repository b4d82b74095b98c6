/** Attestation of epochs (specification C): what shells and simulations use of it. */
export {
  type AttestationConfig,
  type AttestationEffect,
  type AttestationEvent,
  type AttestationState,
  type ClosedEpoch,
  createAttestation,
  GATHERED_EPOCHS,
  stepAttestation,
} from "./attestation.ts";

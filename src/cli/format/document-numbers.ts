/** What a number such as 2.1 means, said once where some are listed. */
export const DOCUMENT_NUMBERS =
  "documents are numbered epoch.step: an epoch begins with a rollout, a promotion or a way back, a step with each share";

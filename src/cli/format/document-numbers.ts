/** What a number such as 2.1 means, for the help of the commands that print some. */
export const DOCUMENT_NUMBERS =
  "\nDocuments are numbered epoch.step: an epoch begins with a rollout, a promotion or a way back, a step with each share.";

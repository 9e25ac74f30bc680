/** Where to look when what is retrieved got worse. @source requirements.md RB-10, RB-6, IX-15 */
export const RETRIEVAL = "the index: was it built from the same corpus, with the same chunking, analyzer and metric?";

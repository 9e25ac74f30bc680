/** Data sets whose rows differ only in what they call things. */
export const DATASETS = ["huggingface", "ragas", "langsmith", "langfuse"] as const;

/** Sources of questions, by the name `--from` gives them. */
export const GOLD_FORMATS = ["promptfoo", "qrels", "beir", "xquad", ...DATASETS] as const;
export type GoldFormat = (typeof GOLD_FORMATS)[number];

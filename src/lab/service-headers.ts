/** On every answer of a laboratory service: the release that gave it. */
export const RELEASE_ID = "x-release-id";
/** On an answer out of a cache: the release that wrote the entry. */
export const CACHED_BY = "x-cached-by";

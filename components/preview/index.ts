/* What a preview of the engine means, for people and for a gate. Pure: knows neither the engine nor files. */
export { renderMarkdown, type MarkdownOptions } from "./markdown";
export { type Preview, UnreadablePreview } from "./previewTypes";
export { type PreviewFormat, readPreview } from "./read";
export { reportPreview } from "./report";
export * from "./types";

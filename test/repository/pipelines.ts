import { Command, type Option } from "commander";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { registerPlan } from "../../cli/plan";
import { registerPreviewReport } from "../../cli/previewReport";
import { root } from "../../docs/generate/declarations";
import { versions } from "../../toolchain/manifest";

/** A step of a job of GitHub. */
export interface Step {
  uses?: string;
  run?: string;
  name?: string;
  if?: string;
  with?: Record<string, string | undefined> & { "persist-credentials"?: boolean };
}

export interface GithubJob {
  if?: string;
  environment?: string;
  permissions?: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress"?: boolean };
  "timeout-minutes"?: number;
  steps: Step[];
}

export interface GithubWorkflow {
  on: Record<string, unknown>;
  permissions?: unknown;
  env: Record<string, string>;
  jobs: Record<string, GithubJob>;
}

export interface GitlabJob {
  extends?: string;
  rules?: { if?: string; when?: string }[];
  environment?: { name: string; action?: string };
  resource_group?: string;
  interruptible?: boolean;
  variables?: Record<string, string>;
  id_tokens?: unknown;
  before_script?: string[];
  script?: string[];
  artifacts?: { paths: string[] };
}

export interface GitlabPipeline {
  default: { image: string };
  variables: Record<string, string>;
  preview: GitlabJob;
  comment: GitlabJob;
}

/** Lowest Node.js that the package takes, e.g. `20.19`. */
const lowestNode = (
  JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { engines: { node: string } }
).engines.node.replace(">=", "");

const otherNode = `runs on another Node.js than ${lowestNode}`;
const otherEngine = `runs another engine than ${versions.pulumi}`;
const foreign = "github.event.pull_request.head.repo.full_name == github.repository";
const keys = /AWS_(SECRET_)?ACCESS_KEY|PULUMI_ACCESS_TOKEN|PASSPHRASE|aws-(secret-)?access-key/;

/** What is said of something: the sentences of the rules that it breaks. */
function told(...rules: [broken: boolean, sentence: string][]): string[] {
  return rules.filter(([broken]) => broken).map(([, sentence]) => sentence);
}

/** What is unsafe or wrong in a workflow of GitHub, one sentence each. */
export function judgeGithub(text: string): string[] {
  const workflow = parse(text) as GithubWorkflow;
  const extra = Object.keys(workflow.on).filter((event) => !["pull_request", "push"].includes(event));
  return [
    ...judgeText(text),
    ...told(
      [extra.length > 0, `is started by ${extra.join()}`],
      [JSON.stringify(workflow.permissions) !== "{}", "gives permissions to every job"],
      [JSON.stringify(workflow.env).includes("secrets."), "gives a secret to every job"],
    ),
    ...Object.entries(workflow.jobs).flatMap(([name, job]) => judgeGithubJob(job).map((said) => `${name} ${said}`)),
  ];
}

const afterMerge = "github.event_name == 'push' && github.ref == 'refs/heads/main'";

function judgeGithubJob(job: GithubJob): string[] {
  const secrets = [...JSON.stringify(job).matchAll(/secrets\.(\w+)/g)].map((match) => match[1] ?? "");
  const writes = Object.entries(job.permissions ?? { all: "write" }).filter(([, right]) => right === "write");
  const rights = writes.map(([what]) => what).join();
  const runs = job.steps.some(({ uses, run }) => run !== undefined || uses?.startsWith("actions/checkout@"));
  return [
    ...told(
      [!["", "id-token", "pull-requests"].includes(rights), `may write ${rights}`],
      [rights === "pull-requests" && (runs || secrets.length > 0), "runs something and may write comments"],
      [job.concurrency === undefined, "may run twice at once"],
      [job["timeout-minutes"] === undefined, "may run for hours"],
    ),
    ...(secrets.length > 0 || rights === "id-token" ? judgeTrusted(job, secrets) : []),
    ...job.steps.flatMap(judgeStep),
  ];
}

/** Judges a job that has secrets or an identity. */
function judgeTrusted(job: GithubJob, secrets: string[]): string[] {
  const text = JSON.stringify(job);
  const merged = job.if === afterMerge;
  const [token, role] = merged ? ["HCLOUD_TOKEN", "APPLY_ROLE"] : ["HCLOUD_READ_TOKEN", "PREVIEW_ROLE"];
  return told(
    [!merged && !(job.if ?? "").includes(foreign), "gives what is secret to forks"],
    [!["preview", "production"].includes(job.environment ?? ""), "has secrets without an environment"],
    [merged !== (job.environment === "production"), "has the environment of the other job"],
    [secrets.some((secret) => secret !== token), `has other secrets than ${token}`],
    [!text.includes(`env.${role}`), `does not take the role env.${role}`],
    [!merged && changing.test(text), "changes something before the merge"],
    [merged && job.concurrency?.["cancel-in-progress"] !== false, "is ended in the middle of an update"],
  );
}

const changing = /pulumi (up|destroy|refresh|import)/;
const packageScripts = /npm (ci|i|install)\b(?!.*--ignore-scripts)/;

function judgeStep({ uses = "", run = "", with: settings = {} }: Step): string[] {
  const is = (action: string): boolean => uses.startsWith(`${action}@`);
  const pinned = /^[\w-]+\/[\w-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})$/;
  const { script = "", path: paths = "" } = settings;
  return told(
    [`${run}${script}`.includes("${{"), "pastes what others wrote into a script"],
    [packageScripts.test(run), "runs scripts of packages"],
    [uses !== "" && !pinned.test(uses), `takes ${uses} as it comes`],
    [is("actions/checkout") && settings["persist-credentials"] !== false, "leaves its token in the checkout"],
    [is("actions/checkout") && settings.ref !== undefined, "checks out what the event names"],
    [is("actions/setup-node") && settings["node-version"] !== lowestNode, otherNode],
    [is("actions/upload-artifact") && !isReport(paths.split("\n")), "uploads more than the report"],
    [is("pulumi/actions") && settings["pulumi-version"] !== versions.pulumi, otherEngine],
  );
}

/** What is unsafe or wrong in a pipeline of GitLab, one sentence each. */
export function judgeGitlab(text: string): string[] {
  const pipeline = parse(text) as GitlabPipeline;
  const jobs = new Map(Object.entries(parse(text) as Record<string, GitlabJob>));
  return [
    ...judgeText(text),
    ...told(
      [!pipeline.default.image.startsWith(`node:${lowestNode}-`), otherNode],
      [pipeline.variables.PULUMI_VERSION !== versions.pulumi, otherEngine],
      [packageScripts.test(text), "runs scripts of packages"],
    ),
    ...[...jobs].flatMap(([name, job]) => {
      if (job.script === undefined) return [];
      return judgeGitlabJob({ ...jobs.get(job.extends ?? ""), ...job }).map((said) => `${name} ${said}`);
    }),
  ];
}

const onMain = '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH';
const ownBranch = "&& $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID";

function judgeGitlabJob(job: GitlabJob): string[] {
  const scripts = [...(job.before_script ?? []), ...(job.script ?? [])].join("\n");
  const merged = job.rules?.every((rule) => rule.if === onMain) ?? false;
  const comments = scripts.includes("COMMENT_TOKEN");
  const trusted = job.id_tokens !== undefined || job.environment !== undefined || comments;
  const name = merged ? "production" : comments ? "comment" : "preview";
  return [
    ...told(
      [trusted && job.environment?.name !== name, `is not of the environment ${name}`],
      [trusted && job.resource_group === undefined, "may run twice at once"],
    ),
    ...(merged ? judgeMerged(job) : trusted ? judgeUnmerged(job, scripts) : []),
    ...judgeRole(job, merged ? "$APPLY_ROLE" : "$PREVIEW_ROLE", comments),
  ];
}

function judgeMerged({ rules = [], interruptible }: GitlabJob): string[] {
  return told(
    [!rules.every(({ when }) => when === "manual"), "updates without being let"],
    [interruptible !== false, "is ended in the middle of an update"],
  );
}

function judgeUnmerged({ environment, rules = [{}] }: GitlabJob, scripts: string): string[] {
  return told(
    [!rules.every((rule) => rule.if?.includes(ownBranch)), "gives what is secret to forks"],
    [environment?.action !== "access", "counts as a deployment"],
    [changing.test(scripts), "changes something before the merge"],
  );
}

function judgeRole({ id_tokens: tokens, variables, artifacts }: GitlabJob, role: string, comments: boolean): string[] {
  const runsOthers = variables?.GIT_STRATEGY !== "none" || tokens !== undefined;
  return told(
    [tokens !== undefined && variables?.AWS_ROLE_ARN !== role, "takes the other job's role"],
    [comments && runsOthers, "runs what others wrote and may write comments"],
    [artifacts !== undefined && !isReport(artifacts.paths), "uploads more than the report"],
  );
}

function isReport(paths: string[]): boolean {
  return paths.filter(Boolean).every((file) => ["report.md", "report.json"].includes(file.trim()));
}

/** What both kinds of file must hold to. */
function judgeText(text: string): string[] {
  const bare = text.replace(/^\s*#.*$/gm, "");
  return [...(keys.test(bare) ? ["has a long-lived key"] : []), ...judgeCommands(bare)];
}

/** Commands of the package that a text calls and that are not there, or not with these flags. */
function judgeCommands(text: string): string[] {
  const program = new Command("zerosteal");
  for (const register of [registerPlan, registerPreviewReport]) register(program);
  const calls = [...text.matchAll(/\bzerosteal ([a-z-]+)((?: (?:"[^"]*"|[^\s|><;&]+))*)/g)];
  if (calls.length === 0) return ["calls no command of zerosteal"];
  return calls.flatMap(([, name = "", rest = ""]) => {
    const command = program.commands.find((one) => one.name() === name);
    if (command === undefined) return [`calls zerosteal ${name}, which is not there`];
    return judgeFlags(command, rest.trim().split(" ").filter(Boolean)).map((what) => `calls zerosteal ${name} ${what}`);
  });
}

function judgeFlags(command: Command, words: string[]): string[] {
  const flags = new Map<string, Option>(command.options.map((option) => [option.long ?? "", option]));
  const found: string[] = [];
  let files = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const option = flags.get(word);
    if (option?.required) index++;
    else if (word.startsWith("-") && option === undefined) found.push(`with ${word}, which it does not have`);
    else if (option === undefined) files++;
  }
  if (files > command.registeredArguments.length) found.push("with too many files");
  return found;
}

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { runInNewContext } from "node:vm";
import { execa } from "execa";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";
import { root } from "../../docs/generate/declarations";
import { type GithubWorkflow, type GitlabPipeline, judgeGithub, judgeGitlab } from "./pipelines";

const textOf = (name: string): string => readFileSync(path.join(root, "docs/ci", name), "utf8");
const files = { github: textOf("github-preview.yaml"), gitlab: textOf("gitlab-preview.yaml") };
const judges = { github: judgeGithub, gitlab: judgeGitlab };
const github = parse(files.github) as GithubWorkflow;
const gitlab = parse(files.gitlab) as GitlabPipeline;

/** What makes a file unsafe: text to replace, by what, and the sentence that must be said. */
type Spoil = [what: string | RegExp, by: string, says: RegExp];

const spoils: Record<keyof typeof files, Spoil[]> = {
  github: [
    [/^ {2}pull_request:/m, "  pull_request_target:", /^is started by pull_request_target$/],
    ["permissions: {}", "permissions: write-all", /^gives permissions to every job$/],
    ["env:\n  STACK", "env:\n  HCLOUD_TOKEN: ${{ secrets.HCLOUD_TOKEN }}\n  STACK", /^gives a secret to every job$/],
    [/contents: read\n {6}id-token: write/, "contents: write", /^preview may write contents$/],
    [
      / && github.event.pull_request.head.repo.full_name == github.repository/,
      "",
      /^preview gives what is secret to forks$/,
    ],
    ["    environment: preview\n", "", /^preview has secrets without an environment$/],
    ["environment: preview", "environment: production", /^preview has the environment of the other job$/],
    ["HCLOUD_READ_TOKEN", "HCLOUD_TOKEN", /^preview has other secrets than HCLOUD_READ_TOKEN$/],
    ["env.PREVIEW_ROLE", "env.APPLY_ROLE", /^preview does not take the role env.PREVIEW_ROLE$/],
    ["pulumi preview --json --show-sames", "pulumi up --yes", /^preview changes something before the merge$/],
    ["cancel-in-progress: false", "cancel-in-progress: true", /^apply is ended in the middle of an update$/],
    [/ {4}concurrency:\n {6}group: preview.*\n.*\n/, "", /^preview may run twice at once$/],
    ["    timeout-minutes: 20\n", "", /^preview may run for hours$/],
    [
      /steps:\n( +- uses: actions\/download)/,
      "steps:\n      - run: npm test\n$1",
      /^comment runs something and may write/,
    ],
    [
      "run: pulumi preview",
      "run: echo ${{ github.head_ref }}; pulumi preview",
      /pastes what others wrote into a script$/,
    ],
    ["npm ci --ignore-scripts", "npm ci", /^plan runs scripts of packages$/],
    ["actions/checkout@v4.2.2", "actions/checkout@v4", /^plan takes actions\/checkout@v4 as it comes$/],
    ["persist-credentials: false", "persist-credentials: true", /^plan leaves its token in the checkout$/],
    [
      "persist-credentials: false",
      "persist-credentials: false\n          ref: main",
      /^plan checks out what the event names$/,
    ],
    ['node-version: "20.19"', 'node-version: "20"', /^plan runs on another Node.js than 20.19$/],
    ["            report.json\n", "            preview.json\n", /^preview uploads more than the report$/],
    [/pulumi-version: \S+/, "pulumi-version: latest", /^preview runs another engine than /],
    [/role-to-assume: .*/, "aws-access-key-id: AKIA", /^has a long-lived key$/],
    ["--fail-on", "--fails-on", /^calls zerosteal preview-report with --fails-on, which it does not have$/],
    ["zerosteal plan", "zerosteal plans", /^calls zerosteal plans, which is not there$/],
  ],
  gitlab: [
    ["image: node:20.19-bookworm", "image: node:latest", /^runs on another Node.js than 20.19$/],
    [/PULUMI_VERSION: \S+/, "PULUMI_VERSION: latest", /^runs another engine than /],
    ["npm ci --ignore-scripts", "npm ci", /^runs scripts of packages$/],
    [
      / && \$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == \$CI_MERGE_REQUEST_PROJECT_ID/,
      "",
      /^preview gives what is secret to forks$/,
    ],
    ["name: preview\n", "name: production\n", /^preview is not of the environment preview$/],
    ["    action: access\n", "", /^preview counts as a deployment$/],
    ["  resource_group: preview-$CI_MERGE_REQUEST_IID\n", "", /^preview may run twice at once$/],
    ["pulumi preview --json --show-sames", "pulumi up --yes", /^preview changes something before the merge$/],
    ["      when: manual\n", "", /^apply updates without being let$/],
    ["interruptible: false", "interruptible: true", /^apply is ended in the middle of an update$/],
    ["GIT_STRATEGY: none", "GIT_STRATEGY: clone", /^comment runs what others wrote and may write comments$/],
    ["AWS_ROLE_ARN: $PREVIEW_ROLE", "AWS_ROLE_ARN: $APPLY_ROLE", /^preview takes the other job's role$/],
    ["paths: [report.md, report.json]", "paths: [report.md, preview.json]", /^preview uploads more than the report$/],
    ["AWS_REGION:", "AWS_SECRET_ACCESS_KEY: x\n  AWS_REGION:", /^has a long-lived key$/],
    ["--explain", "--explained", /^calls zerosteal plan with --explained, which it does not have$/],
  ],
};

describe("the pipelines for pull requests", () => {
  for (const kind of ["github", "gitlab"] as const) {
    it(`of ${kind} are safe, and call what is there`, () => {
      assert.deepEqual(judges[kind](files[kind]), []);
    });

    for (const [what, by, says] of spoils[kind]) {
      it(`of ${kind} are found wanting: ${says.source}`, () => {
        const spoiled = files[kind].replace(what, by);
        assert.notEqual(spoiled, files[kind], "nothing was spoiled");
        const found = judges[kind](spoiled);
        assert.ok(
          found.some((sentence) => says.test(sentence)),
          JSON.stringify(found),
        );
      });
    }
  }

  it("stand in the guide", () => {
    const guide = readFileSync(path.join(root, "docs/guide/pull-requests.md"), "utf8");
    for (const name of ["github-preview.yaml", "gitlab-preview.yaml"])
      assert.ok(guide.includes(`(../ci/${name})`), name);
  });
});

describe("the gate of the pipelines", function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-gate-"));
    const executable = (name: string, text: string): void => {
      writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(path.join(folder, name), 0o755);
    };
    executable("pulumi", 'cat "$RECORDED"; exit "$ENDED"');
    // The command alone: the others would load clients that take seconds.
    const cli = `const { Command } = require("commander");
      const program = new Command();
      require("${root}/cli/previewReport").registerPreviewReport(program);
      void program.parseAsync(process.argv.slice(2), { from: "user" });`;
    writeFileSync(path.join(folder, "cli.js"), cli);
    const register = require.resolve("ts-node/register/transpile-only");
    executable(
      "npx",
      `shift 2; NODE_PATH='${root}/node_modules' exec '${process.execPath}' -r '${register}' '${folder}/cli.js' "$@"`,
    );
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Ends as the job would for a recorded preview, with the exit code that the engine had. */
  async function gate(script: string, recorded: string, ended: number, more: Record<string, string>): Promise<number> {
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      TS_NODE_PROJECT: path.join(root, "tsconfig.json"),
      RECORDED: path.join(root, `test/preview/recorded/${recorded}.json`),
      ENDED: String(ended),
      STACK: "prod",
      ...more,
    };
    const shell = await execa("bash", ["-eo", "pipefail", "-c", script], { cwd: folder, env, reject: false });
    return shell.exitCode ?? -1;
  }

  it("of GitLab lets pass what is below it or was accepted, and no preview that failed", async () => {
    const script = gitlab.preview.script?.join("\n") ?? "";
    const labels = { CI_MERGE_REQUEST_LABELS: "docs,high-risk-accepted" };
    assert.equal(await gate(script, "cilium-values", 0, {}), 0);
    assert.equal(await gate(script, "scale-down", 0, {}), 1);
    assert.equal(await gate(script, "scale-down", 0, labels), 0);
    assert.equal(await gate(script, "control-plane-replaced", 0, labels), 1);
    assert.equal(await gate(script, "failing-program", 255, {}), 2);
    assert.equal(await gate(script, "no-change", 255, {}), 255, "a failure that the document does not have");
  });

  it("of GitHub does the same, by the same words", async () => {
    const steps = github.jobs.preview?.steps ?? [];
    const [preview, report] = ["Preview", "Report and gate"].map((name) => steps.find((step) => step.name === name));
    const script = `${preview?.run ?? ""} || echo failed\n${report?.run ?? ""}`;
    assert.match(files.github, /'high-risk-accepted'\) && 'critical' \|\| 'high' \}\}/);
    assert.equal(await gate(script, "scale-down", 0, { FAIL_ON: "high" }), 1);
    assert.equal(await gate(script, "scale-down", 0, { FAIL_ON: "critical" }), 0);
    assert.equal(await gate(script, "failing-program", 255, { FAIL_ON: "high" }), 2);
    assert.deepEqual([steps.at(-1)?.if, steps.at(-1)?.run], ["steps.preview.outcome != 'success'", "exit 1"]);
  });
});

describe("the comment of the pipelines", () => {
  const report = readFileSync(path.join(root, "test/preview/reports/scale-up.md"), "utf8");
  const marker = report.slice(0, report.indexOf("\n"));

  it("of GitHub is made once and then edited, and that of another is left alone", async () => {
    const script = String(github.jobs.comment?.steps.at(-1)?.with?.script);
    const comments = [{ id: 1, user: { login: "somebody" }, body: `${marker}\nmine` }];
    const did: string[] = [];
    const issues = {
      listComments: {},
      createComment: async ({ body }: { body: string }) => {
        did.push("made");
        comments.push({ id: 2, user: { login: "github-actions[bot]" }, body });
      },
      updateComment: async ({ comment_id: id, body }: { comment_id: number; body: string }) => {
        did.push(`edited ${id}`);
        assert.equal(body, report);
      },
    };
    const context = { repo: { owner: "o", repo: "r" }, payload: { pull_request: { number: 7 } } };
    const modules = (name: string): unknown => (name === "fs" ? { readFileSync: () => report } : undefined);
    const run = (globals: object): Promise<void> =>
      runInNewContext(`(async () => {${script}})()`, globals) as Promise<void>;
    for (let push = 1; push <= 3; push++) {
      await run({ github: { rest: { issues }, paginate: async () => comments }, context, require: modules });
    }
    assert.deepEqual(did, ["made", "edited 2", "edited 2"]);
  });

  it("of GitLab is made once and then edited, and that of another is left alone", async () => {
    const notes = Array.from({ length: 3 }, (_, id) => ({ id, author: { id: 1 }, body: `${marker}\nnumber ${id}` }));
    const did: string[] = [];
    const server = http.createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://gitlab");
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        if (request.headers["private-token"] !== "token") return void response.writeHead(401).end("{}");
        if (url.pathname === "/user") return void response.end('{"id":9}');
        if (request.method === "GET") {
          // One note a page, so that the loop over pages runs.
          const page = Number(url.searchParams.get("page"));
          response.setHeader("x-next-page", page < notes.length ? String(page + 1) : "");
          return void response.end(JSON.stringify(notes.slice(page - 1, page)));
        }
        const { body } = JSON.parse(Buffer.concat(chunks).toString()) as { body: string };
        assert.equal(body, report);
        did.push(`${request.method} ${url.pathname}`);
        if (request.method === "POST") notes.push({ id: 77, author: { id: 9 }, body });
        response.end("{}");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-comment-"));
    try {
      writeFileSync(path.join(folder, "report.md"), report);
      const env = {
        PATH: process.env.PATH,
        CI_API_V4_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        CI_PROJECT_ID: "5",
        CI_MERGE_REQUEST_IID: "7",
        COMMENT_TOKEN: "token",
      };
      const comment = (more: object = {}): Promise<unknown> =>
        execa("bash", ["-eo", "pipefail", "-c", gitlab.comment.script?.join("\n") ?? ""], {
          cwd: folder,
          env: { ...env, ...more },
          extendEnv: false,
        });
      for (let push = 1; push <= 3; push++) await comment();
      const path7 = "/projects/5/merge_requests/7/notes";
      assert.deepEqual(did, [`POST ${path7}`, `PUT ${path7}/77`, `PUT ${path7}/77`]);
      await assert.rejects(comment({ COMMENT_TOKEN: "wrong" }), /GET \/user: 401/);
    } finally {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

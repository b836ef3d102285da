import { defineConfig, globalIgnores } from "eslint/config";
import { builtinModules } from "node:module";
import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Folders whose code is not part of the package: the package must work without them. */
const repositoryOnly = ["sandbox", "cli", "toolchain", "test", "bench", "docs"];

/** Options of `no-restricted-imports` for code that only computes: no engine, nothing of other folders, nothing of the machine. */
function pure(what, outside, but) {
  const builtins = builtinModules.flatMap((name) => [name, `node:${name}`]).filter((name) => !but.includes(name));
  const message = `${what} is pure: it asks nothing of the machine that it runs on.`;
  return {
    // Whether a text is an address is known without a network.
    paths: builtins.map((name) =>
      name === "node:net" ? { name, message, allowImportNames: ["isIPv4"] } : { name, message },
    ),
    patterns: [
      { regex: "^@pulumi/", message: `${what} is pure: it knows nothing of the engine.` },
      { regex: outside, message: `${what} is pure: it needs nothing but its own folder.` },
    ],
  };
}

export default defineConfig(
  globalIgnores(["dist/", "node_modules/", "coverage/"]),
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.js", "**/*.mjs"],
    extends: [js.configs.recommended],
    languageOptions: {
      globals: {
        require: "readonly",
        module: "writable",
        process: "readonly",
        console: "readonly",
        __dirname: "readonly",
      },
    },
  },
  {
    files: ["**/*.ts"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // `a || b` is right where an empty text counts as none.
      "@typescript-eslint/prefer-nullish-coalescing": ["error", { ignorePrimitives: { string: true } }],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { ignoreRestSiblings: true, varsIgnorePattern: "^_", argsIgnorePattern: "^_" },
      ],
      // An implementation of an asynchronous interface need not wait for anything.
      "@typescript-eslint/require-await": "off",
      // `!` is refused, so the cast that says which type is meant stays.
      "@typescript-eslint/non-nullable-type-assertion-style": "off",
      // Both spellings say something: a dictionary, or an object whose keys have a meaning.
      "@typescript-eslint/consistent-indexed-object-style": "off",
      // Does not end on a type that contains itself.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      complexity: ["error", 15],
      "max-lines": ["error", { max: 300, skipBlankLines: false, skipComments: false }],
      "no-console": "off",
      eqeqeq: "error",
    },
  },
  {
    files: ["components/**/*.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(${repositoryOnly.join("|")})(/|$)`,
              message: "The package has only components/: nothing in it may need the rest of the repository.",
            },
          ],
        },
      ],
    },
  },
  ...[
    { files: ["components/plan/*.ts"], outside: "^\\.\\./" },
    { files: ["components/plan/rules/*.ts"], outside: "^\\.\\./\\.\\./" },
    { files: ["components/policy/plan/*.ts"], outside: "^\\.\\./(?!\\.\\./plan/)" },
    { files: ["components/policy/plan/rules/*.ts"], outside: "^\\.\\./\\.\\./(?!\\.\\./plan/)" },
    { files: ["components/preview/*.ts"], outside: "^\\.\\./(?!plan/|plainText$)", what: "A report" },
    // The scripts of nodes are text that lies beside the code.
    { files: ["components/plan/nodeFiles.ts"], outside: "^\\.\\./", but: ["node:fs", "node:path"] },
  ].map(({ files, outside, what = "A plan", but = [] }) => ({
    files,
    rules: { "no-restricted-imports": ["error", pure(what, outside, but)] },
  })),
  {
    files: ["plugin/**/*.ts"],
    rules: {
      // Pulumi's analyzer of components knows `any`, and no `unknown`.
      "@typescript-eslint/no-explicit-any": "off",
      // arguments.ts is made from the code.
      "max-lines": "off",
    },
  },
  {
    files: ["sandbox/plugins/**/*.ts"],
    // The engine's values are `unknown`; each plugin's schema has judged them before they become text.
    rules: { "@typescript-eslint/no-base-to-string": "off" },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 400, skipBlankLines: false, skipComments: false }],
      "@typescript-eslint/no-non-null-assertion": "off",
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[object.name=/^(describe|it|specify)$/][property.name=/^(only|skip)$/]",
          message: "Tests are skipped by a named capability alone: needs(this, …) of test/capabilities.ts.",
        },
      ],
    },
  },
);

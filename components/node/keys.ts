import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import type * as ssh2 from "ssh2";
import { childOptions, type ClusterContext } from "../context";

const requireHere = createRequire(__filename);

/** An SSH key pair; the private half is always a secret. */
export interface KeyPair {
  /** OpenSSH line, e.g. `ssh-ed25519 AAAA… comment`. */
  publicKey: pulumi.Output<string>;
  /** OpenSSH PEM. */
  privateKey: pulumi.Output<string>;
}

/** The texts of a new key pair. */
export interface NewKeyPair {
  public: string;
  private: string;
}

/**
 * Makes a key pair that SSH programs can read. ssh2 drops a leading zero byte of an ed25519 key, so that one in 256 is a byte short and of
 * no use to anybody: such a pair is made again.
 * @param generate makes one pair, right or wrong; default: ssh2
 */
export function newKeyPair(type: "ed25519" | "ecdsa", generate?: () => NewKeyPair): NewKeyPair {
  // Loaded when a key is made, not with the package: a fifth of the package's import time, and existing hosts need none.
  const { utils } = requireHere("ssh2") as typeof ssh2;
  const make =
    generate ??
    (() =>
      type === "ecdsa" ? utils.generateKeyPairSync("ecdsa", { bits: 256 }) : utils.generateKeyPairSync("ed25519"));
  for (;;) {
    const pair = make();
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/**
 * A key pair made once and kept in the state, encrypted: later runs make a new one, but `ignoreChanges` keeps the first, so previews stay empty.
 * @param type `ed25519` for clients; `ecdsa` for one-time host keys, so that a node can hold its lasting ed25519 key beside it
 */
export function keptKeyPair(context: ClusterContext, name: string, type: "ed25519" | "ecdsa"): KeyPair {
  const pair = newKeyPair(type);
  const stash = new pulumi.Stash(
    name,
    { input: pulumi.secret({ publicKey: pair.public, privateKey: pair.private }) },
    childOptions(context, { ignoreChanges: ["input"] }),
  );
  const kept = stash.output as pulumi.Output<{ publicKey: string; privateKey: string }>;
  // Before the first update a preview makes a pair that no update will use: better unknown than planned otherwise than applied.
  const passing = (publicKey: string): boolean => publicKey === pair.public && pulumi.runtime.isDryRun();
  return {
    publicKey: pulumi.unsecret(
      kept.apply(({ publicKey }) => (passing(publicKey) ? (pulumi.unknown as unknown as string) : publicKey)),
    ),
    privateKey: pulumi.secret(kept.apply((value) => value.privateKey)),
  };
}

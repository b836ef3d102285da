import { createHash } from "node:crypto";
import { notUnique } from "./errors";
import { Body } from "./body";
import type { Call, Context, Route } from "./context";
import { listAnswer } from "./lists";
import { byId, newObject, removeById, requireUniqueName } from "./objects";
import type { SshKeyRecord } from "./types";

/** Endpoints of SSH keys. */
export function sshKeyRoutes(context: Context): Route[] {
  const view = sshKeyView;
  const find = (call: Call): SshKeyRecord => byId(call.project.state.sshKeys, call.params.id, "ssh_key");
  return [
    {
      method: "GET",
      path: "/ssh_keys",
      handler: (call) =>
        listAnswer(call, call.project.state.sshKeys, {
          key: "ssh_keys",
          sorts: { id: (key) => key.id, name: (key) => key.name },
          filters: { fingerprint: (key) => key.fingerprint },
          view,
        }),
    },
    {
      method: "POST",
      path: "/ssh_keys",
      handler: async (call) => {
        const record = create(context, call);
        await call.project.save();
        return { status: 201, body: { ssh_key: view(record) } };
      },
    },
    {
      method: "GET",
      path: "/ssh_keys/:id",
      handler: (call) => ({ status: 200, body: { ssh_key: view(find(call)) } }),
    },
    {
      method: "PUT",
      path: "/ssh_keys/:id",
      handler: async (call) => {
        const record = find(call);
        const body = new Body(call.body);
        const name = body.given("name") ? body.requiredString("name") : record.name;
        const labels = body.labels() ?? record.labels;
        body.check();
        requireUniqueName(call.project.state.sshKeys, name, record.id);
        Object.assign(record, { name, labels });
        await call.project.save();
        return { status: 200, body: { ssh_key: view(record) } };
      },
    },
    {
      method: "DELETE",
      path: "/ssh_keys/:id",
      handler: async (call) => {
        removeById(call.project.state.sshKeys, find(call).id);
        await call.project.save();
        return { status: 204 };
      },
    },
  ];
}

/**
 * MD5 fingerprint of an OpenSSH public key, as `aa:bb:…`.
 * @param publicKey `type base64 [comment]`
 * @returns null if the text is no public key
 */
export function fingerprintOf(publicKey: string): string | null {
  const [type, encoded] = publicKey.trim().split(/\s+/);
  if (!type || !encoded || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return null;
  const blob = Buffer.from(encoded, "base64");
  // The blob begins with its own type, as a length and that many characters; key material follows.
  if (blob.length <= 4 + type.length || blob.readUInt32BE(0) !== type.length) return null;
  if (blob.subarray(4, 4 + type.length).toString("latin1") !== type) return null;
  const digest = createHash("md5").update(blob).digest("hex");
  return digest.replace(/..(?=.)/g, "$&:");
}

function create(context: Context, call: Call): SshKeyRecord {
  const { sshKeys } = call.project.state;
  const body = new Body(call.body);
  const name = body.requiredString("name");
  const publicKey = body.requiredString("public_key");
  const labels = body.labels();
  const fingerprint = fingerprintOf(publicKey);
  if (publicKey !== "" && fingerprint === null) body.refuse("public_key", "is not a valid SSH public key");
  body.check();
  requireUniqueName(sshKeys, name, undefined, "SSH key name is already used");
  if (sshKeys.some((key) => key.fingerprint === fingerprint)) {
    throw notUnique("public_key", "SSH key with the same fingerprint already exists");
  }
  const record = { ...newObject(context, call, labels), name, publicKey, fingerprint: fingerprint ?? "" };
  sshKeys.push(record);
  return record;
}

function sshKeyView(record: SshKeyRecord): object {
  const { id, name, fingerprint, publicKey, labels, created } = record;
  return { id, name, fingerprint, public_key: publicKey, labels, created };
}

/** Where everything is deployed, and what the local stack calls itself. A test compares them with their owners. */
export const REGION = 'europe-west2';
export const LOCAL_PROJECT = 'demo-ekklesia';
const API = 'opsApi';
/** The audience that the functions accept for service accounts unless ADMIN_OIDC_AUDIENCES says otherwise. */
const AUDIENCE_FUNCTION = 'runMemberListSync';

export const functionUrl = (project: string, name: string): string =>
  `https://${REGION}-${project}.cloudfunctions.net/${name}`;

export const apiUrl = (project: string): string => functionUrl(project, API);

export const defaultAudience = (project: string): string => functionUrl(project, AUDIENCE_FUNCTION);

export const localFunctionUrl = (functionsPort: number, name: string): string =>
  `http://127.0.0.1:${functionsPort}/${LOCAL_PROJECT}/${REGION}/${name}`;

export const localApiUrl = (functionsPort: number): string => localFunctionUrl(functionsPort, API);

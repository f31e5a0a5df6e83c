// Made from openapi.json by `npm run api`; do not edit.

export interface paths {
    "/api/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What needs somebody, or did. */
        get: {
            parameters: {
                query?: {
                    /** @description Those that are hidden behind this one, `al_…`. */
                    behind?: string;
                    /** @description `ep_…` */
                    endpoint?: string;
                    /** @description Also those that are hidden behind another one. */
                    hidden?: boolean;
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                    /** @description In check, instance, text or host name, whatever the case. */
                    search?: string;
                    /** @description How bad. */
                    severity?: components["schemas"]["AlertSeverity"];
                    /** @description Bare name. */
                    site?: string;
                    /** @description How far they have come; open and acknowledged ones unless said. */
                    state?: components["schemas"]["AlertState"];
                    /** @description Bare name. */
                    tenant?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AlertsWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One alert: its history, its messages, and why it is told or not. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `al_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AlertView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/deeds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Acknowledge, resolve or annotate some alerts. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AlertDeed"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ManyDone"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The rules in force, in words. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AlertRules"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/tell-me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tell me once when these endpoints are back. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TellMeRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ManyDone"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/windows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a maintenance window. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["WindowRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AlertRules"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/alerts/windows/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a maintenance window. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["EndWindowRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AlertRules"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Statements that lack signatures. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Inbox"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was done, newest first: by both logs, verified here, and by the notes of this console. */
        get: {
            parameters: {
                query?: {
                    /** @description `job`, `policy`, `promotion`, `bundle`, `freeze`, `thaw`, `veto`, `withdrawal` or `local`. */
                    kind?: string;
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                    /** @description `op_…`; `me` for what was done at this console. */
                    person?: string;
                    /** @description Not before. */
                    since?: number;
                    /** @description Bare name. */
                    tenant?: string;
                    /** @description Before. */
                    until?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AuditWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as a file with all rows. */
        get: {
            parameters: {
                query: {
                    /** @description Of the file. */
                    form: "csv" | "json";
                    /** @description As in the list. */
                    kind?: string;
                    /** @description As in the list. */
                    person?: string;
                    /** @description As in the list. */
                    since?: number;
                    /** @description As in the list. */
                    tenant?: string;
                    /** @description As in the list. */
                    until?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown[];
                        "text/csv": string;
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A part of the fleet; filters and order are the server's. */
        get: {
            parameters: {
                query?: {
                    /** @description The other way round. */
                    descending?: boolean;
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                    /** @description Part of a host name or id. */
                    search?: string;
                    /** @description `si_…` or its bare name. */
                    site?: string;
                    /** @description By what; host name unless said. */
                    sort?: "hostname" | "tenant" | "os" | "last_seen";
                    /** @description Only these. */
                    state?: "connected" | "away" | "quarantined";
                    /** @description `tn_…` or its bare name; `none` for those that belong to nobody yet. */
                    tenant?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FleetWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One endpoint, and whether its enrolment proves who it is. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EndpointView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/admit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let an endpoint in that waits in quarantine. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What changed on an endpoint, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Changes wanted; at most 500. */
                    limit?: number;
                    /** @description Only in this section. */
                    section?: string;
                };
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["InventoryHistory"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/checks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an endpoint looks at and why, and how it stands. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EndpointChecks"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/inventory": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an endpoint reported, section by section, and its tags and fields. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["InventoryView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/inventory/{section}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One section with its items. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                    /** @description its name */
                    section: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["InventoryItems"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What it was asked to do, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                };
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EndpointJobs"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/receipts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What it says it did, newest first, each receipt verified. */
        get: {
            parameters: {
                query?: {
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                };
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ReceiptsWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask a connected endpoint for its inventory now. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/{id}/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an endpoint measured of itself, the last hour unless asked otherwise. */
        get: {
            parameters: {
                query?: {
                    /** @description From this second on; an hour before the end unless given. */
                    from?: number;
                    /** @description Only of this disk, mount point, interface or program. */
                    label?: string;
                    /** @description Only this metric, such as `bartizan_load1`. */
                    name?: string;
                    /** @description What stands for the values between two points; of a counter always its last. */
                    stat?: components["schemas"]["SeriesStat"];
                    /** @description Seconds between points; unless given as many as make 360 points, at least 60. More than 2,000 points are refused. */
                    step_s?: number;
                    /** @description To this second, included; now unless given. */
                    to?: number;
                };
                header?: never;
                path: {
                    /** @description `ep_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SeriesView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All rows of a list of endpoints as CSV, by the server's word. An answer that breaks off is no file. */
        get: {
            parameters: {
                query?: {
                    /** @description Names of `FleetColumn` with commas between them; all of them unless said. */
                    columns?: string;
                    /** @description The other way round. */
                    descending?: boolean;
                    /** @description Part of a host name or id. */
                    search?: string;
                    /** @description `si_…` or its bare name. */
                    site?: string;
                    /** @description By what; host name unless said. */
                    sort?: "hostname" | "tenant" | "os" | "last_seen";
                    /** @description Only these. */
                    state?: "connected" | "away" | "quarantined";
                    /** @description `tn_…` or its bare name; `none` for those that belong to nobody yet. */
                    tenant?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/csv": string;
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/endpoints/tree": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many endpoints each tenant and site has. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FleetTree"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What changed, as server-sent events; each datum is a `News`. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": components["schemas"]["News"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/founding": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far this console is on its way into an organisation. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Founding"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/founding/card": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The card of this person, with the key that signs and a spare one. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CardRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnCard"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/founding/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Show that a passphrase was written down. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PaperCheck"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PaperLeft"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/founding/draft": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Compose the first bundle. The recovery sheets and their passphrases stand in this answer only. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["FoundRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FoundDraft"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/founding/forget": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Forget what was composed or signed, and begin again. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Founding"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/founding/person": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Compare another person's card with the words they read. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PersonRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["NewPerson"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/founding/publish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hand a complete first bundle to the server once more. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Founding"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/freezes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What stands still. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FreezeList"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/freezes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who stands still, by receipts that were verified here. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `st_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FreezeView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inventory/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Endpoints that fit a query over every field of the fleet. */
        get: {
            parameters: {
                query: {
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                    /** @description Words, `package:openssl<3.0.14`, `port:3389`, `tag:…`; a `-` in front means not. */
                    query: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FoundWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                    /** @description `pending`, `active`, `finished`, `expired` or `cancelled`. */
                    state?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobsWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job, verified and in words. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `st_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A job while it runs: where each endpoint stands, and live output. Ends when the job has. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `st_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": components["schemas"]["News"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/receipts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its receipts, each verified. */
        get: {
            parameters: {
                query?: {
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                };
                header?: never;
                path: {
                    /** @description `st_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ReceiptsWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/rollout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How it goes, stage by stage, counted from receipts that were verified here. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `st_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RolloutView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/targets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its endpoints and where each stands. */
        get: {
            parameters: {
                query?: {
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                    /** @description Only in this state. */
                    state?: string;
                };
                header?: never;
                path: {
                    /** @description `st_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TargetsWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Both logs by their newest checkpoints, which contain what this console co-signed. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Logs"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/logs/{name}/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Entries of a log, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Rows wanted; at most 500. */
                    limit?: number;
                    /** @description Rows to pass over. */
                    offset?: number;
                };
                header?: never;
                path: {
                    /** @description `control` or `jobs` */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EntriesWindow"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/logs/{name}/entries/{index}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One entry with its proof, and the commands that verify it without this program. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its place */
                    index: number;
                    /** @description `control` or `jobs` */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EntryView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whose console this is, and what it believes. Answers also without a server or an organisation, and says what is missing. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Standing orders. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Orders"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orders/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** When a standing order would run, before it is signed. Asks nobody. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["OrderTrigger"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OrderPlan"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What needs a person now. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Overview"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Those that were registered through this console. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PasskeyList"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** End it: the new credential is judged here, and becomes a card. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PasskeyRegistration"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PasskeyCard"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/passkeys/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a registration. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PasskeyOptions"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every policy, verified here. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Policies"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One policy: what it says, who signed it, where it stands. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `st_…` */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PolicyView"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/policies/verdict": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a source text would be. Nothing is signed by asking. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PolicyRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PolicyVerdict"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a new script on these endpoints would need: class, people, stages. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PreviewRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Preview"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scripts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All scripts, and which versions people have reviewed by what the jobs log shows. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ScriptLibrary"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Keep a script: a new version where its text is another one. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ScriptToKeep"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ScriptLibrary"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scripts/{name}/versions/{sha256}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The text of a version, and what differs since another one. */
        get: {
            parameters: {
                query?: {
                    /** @description SHA-256 of another version. */
                    since?: string;
                };
                header?: never;
                path: {
                    /** @description Of the script */
                    name: string;
                    /** @description Of the text */
                    sha256: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["VersionText"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scripts/forget": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Forget a script with all its versions. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Named"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ScriptLibrary"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scripts/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take scripts in from files. Nothing is signed or run by that. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ScriptFiles"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ScriptsImported"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange the launch token of a link for the token of this page. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Launch"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** End the session of this page. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/approval": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A statement of the inbox, to be countersigned. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ApprovalRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/countersign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A first bundle that the founder signed, for the others to sign. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CountersignRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/enrolment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let new endpoints in; once signed, the answer has the command that installs one. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["EnrolmentRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/freeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop things at once. `job:ID` halts a roll-out. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["FreezeRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/genesis": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The composed first bundle, for its founder to sign. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/job": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A new job, to be signed as its author. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Compose"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/join": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Enter an organisation that is there: the first login. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["JoinRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Log in with a passkey: only needed while `Me.standing` is `login_needed`. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/person": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a person to the organisation that is there. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PersonRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/policy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A new policy, or a next version of one, to be signed as its author. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PolicyRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/policy-approval": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A policy that waits, to be countersigned. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ApprovalRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/policy-withdrawal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a policy back for good. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AboutRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/promotion": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let the next stage of a job begin, on evidence that was verified here. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PromotionRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/thaw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a freeze. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AboutRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/threshold": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let more, or fewer, people change the bundle. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ThresholdRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/veto": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a bundle that waits for its delay. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AboutRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sheets/withdrawal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a standing order, or a job that has not started, back for good. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AboutRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sheet"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign what a sheet showed, and send it. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SignRequest"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Signed"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/trust": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bundle in force, and those that wait. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Trust"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/trust/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every bundle there ever was, and what each changed. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BundleHistory"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Those that are kept here. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SavedViews"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Keep one, or replace the one of the same name. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SavedView"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SavedViews"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views/forget": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Forget one. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Named"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SavedViews"];
                    };
                };
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A statement about another. */
        AboutRequest: {
            /** @description The freeze, bundle or job. */
            id: string;
            /** @description Why, for the others. */
            reason?: string;
        };
        /** @description Something that a person must know. */
        Alert: {
            /** @description Stable. */
            code: string;
            /** @description What to do. */
            next: string;
            /** @description How bad it is. */
            severity: components["schemas"]["Severity"];
            /** @description What it is. */
            text: string;
        };
        /** @description Who looks after an alert. */
        AlertCare: {
            /**
             * Format: int64
             * @description Since when.
             */
            at: number;
            /** @description The operator's name. */
            name: string;
            /** @description In their words. */
            note: string;
        };
        /** @description A channel. */
        AlertChannel: {
            /** @description `email`, `webhook` or `syslog`. */
            kind: string;
            /** @description Its name. */
            name: string;
        };
        /** @description What somebody does with some alerts. */
        AlertDeed: {
            /** @description What. */
            deed: components["schemas"]["AlertDeedKind"];
            /** @description Which; at most 200. */
            ids: string[];
            /** @description In their words; at most 1,024 bytes. */
            note?: string;
        };
        /**
         * @description What can be done with alerts.
         * @enum {string}
         */
        AlertDeedKind: "acknowledge" | "resolve" | "note";
        /** @description A line of a history. */
        AlertEvent: {
            /**
             * Format: int64
             * @description When, by the server's clock.
             */
            at: number;
            /**
             * Format: int64
             * @description When, as the endpoint claims.
             */
            claimed?: number | null;
            /** @description Who did it. */
            name?: string | null;
            /** @description In words. */
            text: string;
            /** @description `opened`, `acknowledged`, `sent` … */
            what: string;
        };
        /** @description An alert. */
        AlertItem: {
            acknowledged?: components["schemas"]["AlertCare"] | null;
            /**
             * Format: int64
             * @description When something last happened to it.
             */
            changed: number;
            /** @description Which check, or `link`, `site.link`, `server.network`, `alerts.flood`. */
            check: string;
            /** @description None for sites and the server itself. */
            endpoint?: string | null;
            /** @description It goes up and down, and nothing is sent until it is calm. */
            flapping: boolean;
            /**
             * Format: int64
             * @description How many are hidden behind it.
             */
            hidden: number;
            /** @description Behind which alert it is hidden. */
            hidden_by?: string | null;
            /** @description As it calls itself. */
            hostname?: string | null;
            /** @description `al_…` */
            id: string;
            /** @description Of what: a mount point, a service; may be empty. */
            instance: string;
            /**
             * Format: int64
             * @description When it was over.
             */
            resolved?: number | null;
            /** @description How bad it is. */
            severity: components["schemas"]["AlertSeverity"];
            /**
             * Format: int64
             * @description Since when, as the endpoint claims.
             */
            since: number;
            /** @description Bare name. */
            site?: string | null;
            /** @description `waiting`, `open`, `acknowledged` or `resolved`. */
            state: string;
            /** @description Bare name. */
            tenant?: string | null;
            /** @description In words. */
            text: string;
        };
        /** @description A message about an alert. */
        AlertMessage: {
            /** @description Over which channel. */
            channel: string;
            /**
             * Format: int64
             * @description When it was decided.
             */
            created: number;
            /**
             * Format: int64
             * @description When it is tried next, or was settled.
             */
            due: number;
            /** @description What went wrong last. */
            problem?: string | null;
            /** @description `waiting`, `sent` or `failed`. */
            state: string;
            /**
             * Format: int64
             * @description How often it was tried.
             */
            tries: number;
        };
        /** @description One reason why an alert is told, or is not. */
        AlertReason: {
            /** @description `state`, `rule`, `window`, `dependency`, `flapping`, `route`, `step`, `next` … */
            about: string;
            /** @description In words. */
            says: string;
        };
        /** @description A rule in words. */
        AlertRule: {
            /** @description What it applies to. */
            applies: string;
            /** @description Its name, where it has one. */
            name?: string | null;
            /** @description What it says, a line each. */
            says: string[];
        };
        /** @description The rules in force. */
        AlertRules: {
            /** @description Channels of the server. */
            channels: components["schemas"]["AlertChannel"][];
            /** @description Who changed the rules, newest first. */
            history: components["schemas"]["AlertRulesVersion"][];
            /** @description Which endpoints are told when they are away, and which depend on others; in order. */
            links: components["schemas"]["AlertRule"][];
            /** @description Who is told, in order; the first that fits is taken. */
            routes: components["schemas"]["AlertRule"][];
            /**
             * Format: int64
             * @description 0 for the defaults.
             */
            version: number;
            /** @description When nothing is sent. */
            windows: components["schemas"]["MaintenanceWindow"][];
        };
        /** @description A version of the rules. */
        AlertRulesVersion: {
            /**
             * Format: int64
             * @description When.
             */
            at: number;
            /** @description Who. */
            name: string;
            /**
             * Format: int64
             * @description Which.
             */
            version: number;
        };
        /**
         * @description How bad an alert is.
         * @enum {string}
         */
        AlertSeverity: "warning" | "error" | "critical";
        /**
         * @description How far alerts have come.
         * @enum {string}
         */
        AlertState: "active" | "open" | "acknowledged" | "resolved";
        /** @description A part of the list, newest change first. */
        AlertsWindow: {
            /**
             * Format: int64
             * @description Of the first row.
             */
            offset: number;
            /** @description Some of them. */
            rows: components["schemas"]["AlertItem"][];
            /**
             * Format: int64
             * @description How many fit.
             */
            total: number;
        };
        /** @description One alert with all that is known of it. */
        AlertView: {
            /** @description The alert. */
            alert: components["schemas"]["AlertItem"];
            /** @description In order. */
            history: components["schemas"]["AlertEvent"][];
            /** @description What was sent, or will be. */
            messages: components["schemas"]["AlertMessage"][];
            /** @description What decides what is sent; empty for one that has been over for a while. */
            why: components["schemas"]["AlertReason"][];
        };
        /** @description A statement to be countersigned. */
        ApprovalRequest: {
            /** @description From the inbox. */
            id: string;
        };
        /** @description What the browser gave for a `PasskeyRequest`; each in base64url without padding. */
        Assertion: {
            /** @description `response.authenticatorData` */
            authenticator_data: string;
            /** @description `response.clientDataJSON` */
            client_data: string;
            /** @description The credential's `rawId`. */
            credential: string;
            /** @description `response.signature` */
            signature: string;
        };
        /**
         * @description The form of a file.
         * @enum {string}
         */
        AuditForm: "csv" | "json";
        /** @description Somebody who has signed something. */
        AuditPerson: {
            /** @description `op_…` */
            id: string;
            /** @description For people. */
            name: string;
        };
        /** @description Something that was done. */
        AuditRow: {
            /** @description A later signature has no time of its own: it came after `at`. */
            after: boolean;
            /**
             * Format: int64
             * @description When: as its author's clock said, or when this console noted it.
             */
            at: number;
            /** @description Of a job. */
            class?: string | null;
            /** @description What was done, in a word or two. */
            did: string;
            /** @description Whether it was done at this console, by its own notes. */
            here: boolean;
            /** @description The statement. */
            id?: string | null;
            /**
             * Format: int64
             * @description Place in that log.
             */
            index?: number | null;
            /** @description `job`, `policy`, `promotion`, `bundle`, `freeze`, `thaw`, `veto`, `withdrawal`, `unknown` or `local`. */
            kind: string;
            /** @description `control` or `jobs`, where a log shows it. */
            log?: string | null;
            /** @description Bare name, where it is about one. */
            tenant?: string | null;
            /** @description What it is about, in a line. */
            title: string;
            /** @description Who signed, as what. Of an entry that adds signatures only those that it adds. */
            who: components["schemas"]["SignedBy"][];
        };
        /** @description A part of what was done, newest first. */
        AuditWindow: {
            /**
             * Format: int64
             * @description Entries of both logs that were gone through.
             */
            entries: number;
            /**
             * Format: int64
             * @description Of the first row.
             */
            offset: number;
            /** @description Everybody who has signed something, by name. */
            people: components["schemas"]["AuditPerson"][];
            /** @description The rows. */
            rows: components["schemas"]["AuditRow"][];
            /** @description Tenants that something was about, by name. */
            tenants: string[];
            /**
             * Format: int64
             * @description How many fit.
             */
            total: number;
        };
        /** @description Every bundle there ever was. */
        BundleHistory: {
            /** @description Newest first. */
            bundles: components["schemas"]["BundleRow"][];
        };
        /** @description A bundle in the control log. */
        BundleRow: {
            /**
             * Format: int64
             * @description When it was made.
             */
            at: number;
            /** @description What it changes of the one it follows; of the first, everything. */
            changes: components["schemas"]["DifferenceLine"][];
            /** @description `st_…` */
            id: string;
            /**
             * Format: int64
             * @description Its place in the control log.
             */
            index: number;
            /** @description Who signed it. */
            signatures: components["schemas"]["SignedBy"][];
            /** @description What became of it. */
            state: components["schemas"]["BundleState"];
            /**
             * Format: int64
             * @description Its version.
             */
            version: number;
        };
        /**
         * @description What became of a bundle.
         * @enum {string}
         */
        BundleState: "in_force" | "waits" | "former" | "no_effect";
        /** @description Who one is going to be. */
        CardRequest: {
            /** @description Bare short name. */
            id: string;
            /** @description For people. */
            name: string;
        };
        /**
         * @description What became of a line.
         * @enum {string}
         */
        Change: "same" | "added" | "removed";
        /** @description How a check stands, by the word of its endpoint. */
        CheckResult: {
            /**
             * Format: int64
             * @description When it was looked at, by the endpoint's clock.
             */
            at: number;
            /** @description Which check. */
            check: string;
            /** @description Which of several; may be empty. */
            instance: string;
            /**
             * Format: int64
             * @description Since when, by the endpoint's clock.
             */
            since: number;
            /** @description `ok`, `warn`, `error` or `unknown`. */
            state: string;
            /** @description In words. */
            text: string;
        };
        /**
         * @description A class a person may ask for.
         * @enum {string}
         */
        ChosenClass: "routine" | "change" | "fleet";
        /** @description What a class demands. */
        ClassRow: {
            /**
             * Format: int32
             * @description People besides the author.
             */
            approvals: number;
            /** @description Its name. */
            class: string;
            /**
             * Format: int64
             * @description How long it waits after it was logged.
             */
            delay_s: number;
            /**
             * Format: int32
             * @description Most endpoints.
             */
            endpoints_max: number;
            /**
             * Format: int32
             * @description Most endpoints with a script they have not seen.
             */
            endpoints_new_max: number;
            /**
             * Format: int32
             * @description Most endpoints in the first.
             */
            first_stage_max: number;
            /**
             * Format: int64
             * @description Least soak.
             */
            soak_s_min: number;
            /**
             * Format: int32
             * @description Least stages.
             */
            stages_min: number;
            /** @description `none`, `presence` or `verification`. */
            user_check: string;
            /**
             * Format: int64
             * @description Longest window.
             */
            window_s_max: number;
            /** @description Which group of witnesses. */
            witnesses: string;
        };
        /** @description A job to be signed. */
        Compose: {
            /** @description Only after these jobs have ended well on the endpoint. */
            after?: string[];
            /** @description Arguments for the script. */
            args?: string[];
            class?: components["schemas"]["ChosenClass"] | null;
            /** @description It deletes or disables something. */
            destructive?: boolean;
            /** @description Variables. */
            env?: components["schemas"]["Variable"][];
            /**
             * Format: int64
             * @description For endpoints that are away; a day unless said.
             */
            expires_s?: number | null;
            /**
             * Format: int32
             * @description Most failures of a stage before the next, in per cent; 10 unless said.
             */
            failures_percent_max?: number | null;
            /** @description `bash`, `sh` or `python3`. */
            interpreter: components["schemas"]["ScriptLanguage"];
            /** @description Where: `all`, `tenant:NAME`, `site:NAME`, ids or host names. */
            on: string[];
            /**
             * Format: int32
             * @description How many people let each later stage begin; 1 unless said.
             */
            promoters?: number | null;
            /** @description Why. */
            reason?: string;
            /** @description Local account; root unless said. */
            run_as?: string | null;
            /** @description The script. */
            script: string;
            /**
             * Format: int64
             * @description How long each stage soaks.
             */
            soak_s?: number | null;
            /** @description In which waves, like `canary:3,10%,rest`; what the class demands unless said. */
            stages?: string | null;
            /** @description A ticket. */
            ticket?: string;
            /**
             * Format: int32
             * @description Longest run; ten minutes unless said.
             */
            timeout_s?: number | null;
            /** @description What it does, in a line. */
            title: string;
            trigger?: components["schemas"]["OrderTrigger"] | null;
        };
        /** @description A witness and a checkpoint. */
        Cosigned: {
            /**
             * Format: int64
             * @description When, by its clock; absent when it has not.
             */
            at?: number | null;
            /** @description Its name in the policy. */
            name: string;
        };
        /** @description A first bundle that another person signed. */
        CountersignRequest: {
            /** @description `host:port` of the operator plane. */
            address: string;
            /** @description The file, in base64. */
            file: string;
        };
        /** @description A tenant that countersigns. */
        CustomerRow: {
            /** @description Fingerprints. */
            keys: string[];
            /** @description Bare name. */
            tenant: string;
        };
        /** @description A difference, line by line. */
        Difference: {
            /**
             * Format: int64
             * @description When that was.
             */
            at: number;
            /** @description From what: a job or a bundle. */
            from: string;
            /** @description The lines. */
            lines: components["schemas"]["DifferenceLine"][];
            /** @description Whether nothing differs. */
            same: boolean;
        };
        /** @description A line of a difference. */
        DifferenceLine: {
            /** @description What became of it. */
            change: components["schemas"]["Change"];
            /** @description The line. */
            text: string;
        };
        /** @description What an endpoint looks at, and what it does not. */
        EndpointChecks: {
            /** @description Policies of its places that do not stand there, and why. */
            not_there: components["schemas"]["PassedCheck"][];
            /** @description Results of checks that no policy names any more. */
            other: components["schemas"]["CheckResult"][];
            /** @description Those that a nearer policy keeps from running. */
            passed_over: components["schemas"]["PassedCheck"][];
            /** @description In order of their ids, with what they found. */
            running: components["schemas"]["RunningCheck"][];
        };
        /** @description One job on one endpoint. */
        EndpointJob: {
            /** @description The job. */
            job: components["schemas"]["JobRow"];
            /** @description Where it stands here. */
            target: components["schemas"]["TargetRow"];
        };
        /** @description What an endpoint was asked to do, newest first. By the server's word; receipts are verified. */
        EndpointJobs: {
            /**
             * Format: int64
             * @description Of the first row.
             */
            offset: number;
            /** @description The rows. */
            rows: components["schemas"]["EndpointJob"][];
            /**
             * Format: int64
             * @description How many.
             */
            total: number;
        };
        /** @description An endpoint, by the server's word. */
        EndpointRow: {
            /** @description As it reported it: hostile text. */
            hostname: string;
            /** @description `ep_…` */
            id: components["schemas"]["String"];
            /**
             * Format: int64
             * @description Last frame.
             */
            last_seen?: number | null;
            /** @description As it reported it: hostile text. */
            os: string;
            /** @description Bare name. */
            site?: string | null;
            /** @description Whether something reaches it. */
            state: components["schemas"]["EndpointState"];
            /** @description Bare name. */
            tenant?: string | null;
        };
        /**
         * @description Whether something reaches an endpoint.
         * @enum {string}
         */
        EndpointState: "connected" | "away" | "quarantined";
        /** @description One endpoint. */
        EndpointView: {
            /** @description Of its device key. */
            fingerprint?: string | null;
            /** @description As it reported it, any JSON: hostile. */
            inventory?: unknown;
            /**
             * Format: int64
             * @description When that came.
             */
            inventory_at?: number | null;
            /** @description By the server's word. */
            row: components["schemas"]["EndpointRow"];
            /** @description Whose, by the enrolment that was verified here. */
            tenant?: string | null;
            /** @description Whether its descriptor and enrolment prove who it is and whose. */
            verification: components["schemas"]["Verification"];
        };
        /** @description A window to be ended: it is taken out of the rules. */
        EndWindowRequest: {
            /**
             * Format: int64
             * @description The version of the rules that were shown.
             */
            base: number;
            /** @description Its name. */
            name: string;
        };
        /** @description New endpoints to be let in. */
        EnrolmentRequest: {
            /**
             * Format: int64
             * @description For how long; seven days unless said.
             */
            expires_s?: number | null;
            /** @description Labels for new endpoints. */
            labels?: string[];
            /** @description Hold each new endpoint until somebody admits it. */
            manual?: boolean;
            /** @description Bare name. */
            site: string;
            /** @description Bare name. */
            tenant: string;
            /**
             * Format: int32
             * @description How many; ten unless said.
             */
            uses?: number | null;
        };
        /** @description Entries of a log, newest first. */
        EntriesWindow: {
            /**
             * Format: int64
             * @description Of the first row, counted from the newest.
             */
            offset: number;
            /** @description The rows. */
            rows: components["schemas"]["EntryRow"][];
            /**
             * Format: int64
             * @description How many there are.
             */
            total: number;
        };
        /** @description An entry. */
        EntryRow: {
            /** @description Absent when it is no statement. */
            id?: string | null;
            /**
             * Format: int64
             * @description Its place.
             */
            index: number;
            /** @description `job`, `bundle` … or `unknown`. */
            kind: string;
            /** @description Who signed it. */
            signatures: components["schemas"]["SignedBy"][];
            /** @description In a line. */
            title: string;
        };
        /** @description One entry, with everything to verify it without this program. */
        EntryView: {
            /** @description Exact commands of stock tools, to be run where the files were saved. */
            commands: string[];
            /** @description The files that the commands read. */
            files: components["schemas"]["ProofFile"][];
            /** @description The leaf's hash. */
            leaf: string;
            /** @description The proof, as a C2SP `tlog-proof`. */
            proof: string;
            /** @description The row. */
            row: components["schemas"]["EntryRow"];
            /** @description In words, from its exact bytes. */
            text: string;
            /** @description Whether its proof leads to the checkpoint that was verified here. */
            verification: components["schemas"]["Verification"];
            /** @description Eight words of the statement. */
            words: string;
        };
        /**
         * @description A column of the list of endpoints.
         * @enum {string}
         */
        FleetColumn: "name" | "state" | "tenant" | "site" | "system" | "last_heard" | "id";
        /** @description How many. */
        FleetCounts: {
            /**
             * Format: int64
             * @description Let in, and none is.
             */
            away: number;
            /**
             * Format: int64
             * @description Let in, and a connection is open.
             */
            connected: number;
            /**
             * Format: int64
             * @description Not let in.
             */
            quarantined: number;
            /**
             * Format: int64
             * @description All.
             */
            total: number;
        };
        /**
         * @description An order of endpoints.
         * @enum {string}
         */
        FleetSort: "hostname" | "tenant" | "os" | "last_seen";
        /** @description The fleet by tenant and site. */
        FleetTree: {
            /** @description All. */
            counts: components["schemas"]["FleetCounts"];
            /** @description In order of name. */
            tenants: components["schemas"]["TenantBranch"][];
        };
        /** @description A part of the fleet. By the server's word; what is signed for is verified when it is signed. */
        FleetWindow: {
            /**
             * Format: int64
             * @description Of the first row.
             */
            offset: number;
            /** @description The rows. */
            rows: components["schemas"]["EndpointRow"][];
            /**
             * Format: int64
             * @description How many fit.
             */
            total: number;
        };
        /** @description A first bundle that is composed and not signed. Its sheets of paper stand in this answer and in no other. */
        FoundDraft: {
            /** @description `bz1-…` */
            anchor: string;
            /** @description To be printed, each with a passphrase to be written down. */
            sheets: components["schemas"]["PaperSheet"][];
            /** @description What to know before it is signed. */
            warnings: string[];
            /** @description Eight words of it. */
            words: string;
        };
        /** @description An item that fits. */
        FoundHit: {
            /** @description Its key. */
            key: string;
            /** @description In which section. */
            section: string;
        };
        /** @description How far this console is on its way into an organisation. */
        Founding: {
            /** @description Keys of this person that a card would name; the first of them signs. */
            keys: components["schemas"]["FoundingKey"][];
            /** @description The one origin of this console; passkeys belong to it. */
            origin: string;
            /** @description Whether a passkey made here would be the key that signs, or the spare one. */
            signs_by_passkey: boolean;
            waiting?: components["schemas"]["FoundingWaits"] | null;
        };
        /** @description A key that a card would name. */
        FoundingKey: {
            /** @description `SHA256:…` */
            fingerprint: string;
            /** @description `ssh-ed25519` … */
            key_type: string;
            /** @description Where it is. */
            place: components["schemas"]["KeyPlace"];
            /** @description Whether it can be copied to other devices. */
            synced: boolean;
        };
        /** @description A first bundle that was signed here. */
        FoundingWaits: {
            /** @description `host:port` of the operator plane. */
            address: string;
            /** @description `bz1-…` */
            anchor: string;
            /** @description Whether enough have signed. */
            complete: boolean;
            /** @description The bundle with its signatures, for the others: base64 of the file. */
            file: string;
            /**
             * Format: int32
             * @description How many people must sign it.
             */
            needed: number;
            problem?: components["schemas"]["Problem"] | null;
            /** @description Whether the server serves it, by its own word; entering the organisation verifies it. */
            published: boolean;
            /** @description Signatures it has. */
            signatures: components["schemas"]["SignedBy"][];
            /** @description Eight words of the bundle, which are those of the anchor. */
            words: string;
        };
        /** @description What is asked of whoever founds an organisation. */
        FoundRequest: {
            /** @description `host:port` of the operator plane. */
            address: string;
            /** @description Bare short name. */
            id: string;
            /** @description What `bartizan-server identity` printed. */
            identity: string;
            /** @description For people. */
            name: string;
            /** @description Who founds it together with this person. */
            people: components["schemas"]["PersonRequest"][];
            /** @description Make a recovery key and a spare witness for paper. */
            recovery: boolean;
        };
        /** @description An endpoint that fits. */
        FoundRow: {
            /** @description A few items that fit. */
            hits: components["schemas"]["FoundHit"][];
            /** @description As it calls itself. */
            hostname: string;
            /** @description Its id. */
            id: string;
            /** @description Bare name, by the server's word. */
            site?: string | null;
            /** @description Bare name, by the server's word. */
            tenant?: string | null;
        };
        /** @description What a search found. */
        FoundWindow: {
            /**
             * Format: int64
             * @description Endpoints of which too little is known to tell.
             */
            not_judged: number;
            /**
             * Format: int64
             * @description Of the first row.
             */
            offset: number;
            /** @description By host name. */
            rows: components["schemas"]["FoundRow"][];
            /**
             * Format: int64
             * @description Endpoints that fit.
             */
            total: number;
        };
        /** @description What stands still, by the control log. */
        FreezeList: {
            /** @description Oldest first. */
            freezes: components["schemas"]["FreezeRow"][];
        };
        /** @description A freeze to be signed. */
        FreezeRequest: {
            /** @description Why, for the others. */
            reason?: string;
            /** @description `org`, `tenant:NAME`, `class:NAME`, `job:ID`, `operator:NAME` or `sessions`. */
            scope: string;
            /**
             * Format: int64
             * @description For how long; four hours unless said, longer when enough others sign.
             */
            seconds?: number | null;
        };
        /** @description A standing freeze. */
        FreezeRow: {
            /** @description Operators who signed it. */
            by: string[];
            /**
             * Format: int64
             * @description Endpoints that have confirmed, by the server's word.
             */
            confirmed: number;
            /** @description `st_…` */
            id: string;
            /** @description As people write it: `org`, `tenant:NAME` … */
            scope: string;
            /**
             * Format: int64
             * @description Since.
             */
            since: number;
            /**
             * Format: int64
             * @description Until.
             */
            until: number;
        };
        /**
         * @description Whether an endpoint has confirmed.
         * @enum {string}
         */
        FreezeState: "frozen" | "not_yet" | "offline";
        /** @description An endpoint and a freeze. */
        FreezeTarget: {
            /**
             * Format: int64
             * @description When it confirmed, by its clock; or when it was last heard of.
             */
            at?: number | null;
            /** @description Who. */
            endpoint: components["schemas"]["String"];
            /** @description As it reported it: hostile text. */
            hostname: string;
            /** @description Whether it has confirmed. */
            state: components["schemas"]["FreezeState"];
            /** @description By which way the freeze came: `server`, `lan`, `file` … */
            way?: string | null;
        };
        /** @description Who stands still, from receipts that were verified here. */
        FreezeView: {
            /**
             * Format: int64
             * @description Confirmations that do not verify.
             */
            bad: number;
            /**
             * Format: int64
             * @description Have confirmed, by their own signature.
             */
            confirmed: number;
            /**
             * Format: int64
             * @description Endpoints that are let in.
             */
            endpoints: number;
            /**
             * Format: int64
             * @description Are connected and have not.
             */
            missing: number;
            /**
             * Format: int64
             * @description Are away and have not.
             */
            offline: number;
            /** @description The freeze. */
            row: components["schemas"]["FreezeRow"];
            /** @description Those that have not confirmed first; at most 500. */
            rows: components["schemas"]["FreezeTarget"][];
        };
        /** @description Statements that lack signatures. */
        Inbox: {
            /** @description Jobs first, newest first. */
            items: components["schemas"]["InboxItem"][];
            /**
             * Format: int64
             * @description Jobs that wait, too, and were too many to be looked into.
             */
            left_off: number;
        };
        /** @description A statement that lacks signatures. */
        InboxItem: {
            /**
             * Format: int64
             * @description When it was made.
             */
            at: number;
            /** @description Of a job. */
            class?: string | null;
            /** @description Why this operator cannot sign it. */
            disabled?: string | null;
            /**
             * Format: int32
             * @description Of a job.
             */
            endpoints?: number | null;
            /** @description `st_…` */
            id: string;
            /** @description `job`, `bundle`, `freeze` or `thaw`. */
            kind: string;
            /** @description Signatures it has. */
            signatures: components["schemas"]["SignedBy"][];
            /** @description Bare name, of a job. */
            tenant?: string | null;
            /** @description What it is, in a line. */
            title: string;
            /**
             * Format: int64
             * @description When it ends.
             */
            until?: number | null;
            /** @description Whether it is what an operator signed. */
            verification: components["schemas"]["Verification"];
            /** @description Who must sign besides, in words. */
            who_else: string;
        };
        /** @description One item that changed. */
        InventoryChange: {
            /**
             * Format: int64
             * @description When the server learnt of it.
             */
            at: number;
            /** @description The fields that differ. */
            facts: components["schemas"]["InventoryDifference"][];
            /** @description Which item. */
            key: string;
            /** @description `new`, `gone` or `changed`. */
            kind: string;
            /** @description In which section. */
            section: string;
        };
        /** @description A field that differs. */
        InventoryDifference: {
            /** @description As it is. */
            after?: string | null;
            /** @description As it was. */
            before?: string | null;
            /** @description Which. */
            name: string;
        };
        /** @description One field of an item. */
        InventoryFact: {
            /** @description Which. */
            name: string;
            /** @description As text. */
            value: string;
        };
        /** @description A custom field as it holds for an endpoint. */
        InventoryField: {
            /** @description Which. */
            name: string;
            /** @description Where it was set: `endpoint`, `site` or `tenant`. */
            scope: string;
            /** @description Its value. */
            value: string;
        };
        /** @description What changed on an endpoint, newest first. */
        InventoryHistory: {
            /** @description At most as many as were asked for. */
            changes: components["schemas"]["InventoryChange"][];
        };
        /** @description An item. */
        InventoryItem: {
            /** @description By name. */
            facts: components["schemas"]["InventoryFact"][];
            /** @description What it is known by. */
            key: string;
            /** @description It could not be read: why. */
            unknown?: string | null;
        };
        /** @description A section. */
        InventoryItems: {
            /** @description By key. */
            items: components["schemas"]["InventoryItem"][];
            /** @description About it. */
            section: components["schemas"]["InventorySectionRow"];
        };
        /** @description A section without its items. */
        InventorySectionRow: {
            /**
             * Format: int64
             * @description Since when it is so.
             */
            at: number;
            /**
             * Format: int64
             * @description How many items.
             */
            items: number;
            /** @description Its name. */
            name: string;
            /**
             * Format: int64
             * @description When the endpoint looked last, by its own clock.
             */
            own_at: number;
        };
        /** @description What an endpoint reported, and what people wrote down about it. */
        InventoryView: {
            /** @description The custom fields that hold for it. */
            fields: components["schemas"]["InventoryField"][];
            /** @description By name. */
            sections: components["schemas"]["InventorySectionRow"][];
            /** @description What it is tagged with. */
            tags: string[];
        };
        /** @description A job, by the server's word. */
        JobRow: {
            /**
             * Format: int64
             * @description When it was submitted.
             */
            at: number;
            /** @description Name of its author. */
            author?: string | null;
            /** @description `routine`, `change`, `fleet`, `update` … */
            class: string;
            /** @description How many endpoints stand where, in lists of jobs. */
            counts: components["schemas"]["StateCount"][];
            /** @description `st_…` */
            id: string;
            /** @description `pending`, `active`, `finished`, `expired` or `cancelled`. */
            state: string;
            /**
             * Format: int32
             * @description How many endpoints.
             */
            targets: number;
            /** @description Bare name. */
            tenant?: string | null;
            /** @description Written by its author. */
            title: string;
            /**
             * Format: int64
             * @description Of a standing order: when it ends.
             */
            until?: number | null;
        };
        /** @description Jobs, newest first. By the server's word. */
        JobsWindow: {
            /**
             * Format: int64
             * @description Of the first row.
             */
            offset: number;
            /** @description The rows. */
            rows: components["schemas"]["JobRow"][];
            /**
             * Format: int64
             * @description How many fit.
             */
            total: number;
        };
        /** @description One job, verified. */
        JobView: {
            /**
             * Format: int32
             * @description Distinct people who have countersigned.
             */
            approvals: number;
            /**
             * Format: int32
             * @description How many the class demands.
             */
            approvals_needed: number;
            /**
             * Format: int64
             * @description Begins.
             */
            begins: number;
            /** @description How many endpoints stand where, by the server's word. */
            counts: components["schemas"]["StateCount"][];
            /**
             * Format: int64
             * @description Ends.
             */
            ends: number;
            /** @description Whether the tenant's own people must still countersign. */
            lacks_customer: boolean;
            /**
             * Format: int64
             * @description Its place in the jobs log.
             */
            log_index: number;
            /** @description Why. */
            reason: string;
            /** @description By the server's word. */
            row: components["schemas"]["JobRow"];
            script?: components["schemas"]["ScriptView"] | null;
            /** @description Every signature. */
            signatures: components["schemas"]["SignedBy"][];
            /** @description Whether it has more than one stage. */
            staged: boolean;
            /** @description Of a standing order: what starts it, in words. */
            starts?: string | null;
            /** @description Bare name. */
            tenant: string;
            /** @description The statement in words, from its exact bytes. */
            text: string;
            /** @description A ticket. */
            ticket: string;
            /** @description Whether it is what an operator signed, with the script and endpoints that belong to it. */
            verification: components["schemas"]["Verification"];
            /** @description In words. */
            who_else: string;
            /** @description Taken back for good, by the control log. */
            withdrawn: boolean;
            /** @description Whether a checkpoint that covers it has the class's witnesses, by the server's word. */
            witnessed: boolean;
            /** @description Eight words to compare. */
            words: string;
        };
        /** @description An organisation that is there. */
        JoinRequest: {
            /** @description `host:port` of the operator plane. */
            address: string;
            /** @description `bz1-…`, from another operator. */
            anchor: string;
        };
        /**
         * @description Where a key is.
         * @enum {string}
         */
        KeyPlace: "file" | "agent" | "security_key" | "passkey";
        /** @description How the last run of a standing order ended. */
        LastRun: {
            /**
             * Format: int64
             * @description When it ended, by the endpoint's clock.
             */
            at: number;
            /** @description Its stable code. */
            code: string;
            /** @description `done`, `failed`, `refused` … */
            decision: string;
            /**
             * Format: int32
             * @description Of the script.
             */
            exit?: number | null;
            /** @description What to do about the code. */
            next?: string | null;
            /** @description Whether the endpoint's own key signed it. */
            verification: components["schemas"]["Verification"];
        };
        /** @description The launch token out of the page's address. */
        Launch: {
            /** @description From the fragment `#launch=…`; good once. */
            launch: string;
        };
        /** @description A script of the library. */
        LibraryScript: {
            /** @description What it is. */
            about: components["schemas"]["ScriptAbout"];
            /** @description Newest first, at least one. */
            versions: components["schemas"]["ScriptVersion"][];
        };
        /** @description Both logs, by checkpoints that their keys signed. */
        Logs: {
            /** @description What does not fit. */
            alerts: components["schemas"]["Alert"][];
            /** @description `control` and `jobs`. */
            logs: components["schemas"]["LogView"][];
        };
        /** @description A log. */
        LogView: {
            /** @description The signed note. */
            checkpoint: string;
            /**
             * Format: int64
             * @description Up to where this console has co-signed it.
             */
            cosigned_here?: number | null;
            /** @description `control` or `jobs`. */
            name: string;
            /** @description Its name in checkpoints. */
            origin: string;
            /** @description Root hash, recomputed here. */
            root: string;
            /**
             * Format: int64
             * @description Entries.
             */
            size: number;
            /** @description Whether entries, root, signature and what this console co-signed before agree. */
            verification: components["schemas"]["Verification"];
            /** @description Who co-signed the checkpoint. */
            witnesses: components["schemas"]["Cosigned"][];
        };
        /** @description A maintenance window: once, from and until; or again and again, a calendar, its zone and its minutes. */
        MaintenanceWindow: {
            /** @description Only this check; with `*` at its end, all that begin so. */
            check?: string | null;
            /** @description Minute, hour, day, month, weekday. */
            cron?: string | null;
            /** @description Only this endpoint. */
            endpoint?: string | null;
            /**
             * Format: int64
             * @description Begins once, then.
             */
            from?: number | null;
            /**
             * Format: int32
             * @description How long.
             */
            minutes?: number | null;
            /** @description Its name, once among the windows. */
            name: string;
            /** @description Only at this site; bare name. */
            site?: string | null;
            /** @description Only of this tenant; bare name. */
            tenant?: string | null;
            /**
             * Format: int64
             * @description Ends then.
             */
            until?: number | null;
            /** @description IANA name. */
            zone?: string | null;
        };
        /** @description What became of a deed with many. */
        ManyDone: {
            /**
             * Format: int64
             * @description With how many it was done.
             */
            done: number;
            /** @description The others. */
            left: components["schemas"]["NotDone"][];
        };
        /** @description Whose console this is, and what it believes. */
        Me: {
            key?: components["schemas"]["SigningKey"] | null;
            operator?: components["schemas"]["MyOperator"] | null;
            organisation?: components["schemas"]["Organisation"] | null;
            /**
             * Format: int32
             * @description Pages that are logged in to this process.
             */
            pages: number;
            problem?: components["schemas"]["Problem"] | null;
            server?: components["schemas"]["ServerLink"] | null;
            /** @description How far it is. */
            standing: components["schemas"]["Standing"];
            sync?: components["schemas"]["SyncState"] | null;
            /** @description Of this program. */
            version: string;
        };
        /** @description The operator of this console. */
        MyOperator: {
            /** @description `op_…` */
            id: string;
            /** @description For people. */
            name: string;
            /** @description `author`, `approve`, `root`, `enroll`, `freeze`, `promote`. */
            roles: string[];
            /** @description For these tenants only; absent means all. */
            tenants?: string[] | null;
        };
        /** @description Which one. */
        Named: {
            /** @description Its name. */
            name: string;
        };
        /** @description A person whose card has the words they read. */
        NewPerson: {
            /** @description `SHA256:…` of each key. */
            fingerprints: string[];
            /** @description Bare short name. */
            id: string;
            /** @description For people. */
            name: string;
        };
        /** @description Something changed; pages ask again for what they show. Events of `GET /events` and `GET /jobs/{id}/events`. */
        News: {
            /**
             * Format: int64
             * @description A connection is open.
             */
            connected: number;
            /** @enum {string} */
            kind: "fleet";
            /**
             * Format: int64
             * @description Not let in.
             */
            quarantined: number;
            /**
             * Format: int64
             * @description All.
             */
            total: number;
        } | {
            /**
             * Format: int64
             * @description At work.
             */
            active: number;
            /** @enum {string} */
            kind: "jobs";
            /**
             * Format: int64
             * @description Entries of the jobs log: each signature and promotion adds one.
             */
            log_size: number;
            /**
             * Format: int64
             * @description How many stand in which state.
             */
            pending: number;
        } | {
            /**
             * Format: int64
             * @description Statements of it that lack signatures.
             */
            drafts: number;
            /** @enum {string} */
            kind: "control";
            /**
             * Format: int64
             * @description Entries.
             */
            size: number;
        } | {
            /**
             * Format: int64
             * @description How many.
             */
            confirmed: number;
            /** @description Which. */
            id: string;
            /** @enum {string} */
            kind: "freeze";
        } | {
            /**
             * Format: int64
             * @description Somebody does.
             */
            acknowledged: number;
            /**
             * Format: int64
             * @description When.
             */
            changed: number;
            /** @enum {string} */
            kind: "alerts";
            /**
             * Format: int64
             * @description Nobody looks after them.
             */
            open: number;
        } | {
            /** @description As in `TargetRow`. */
            code?: string | null;
            /** @description Where. */
            endpoint: string;
            /**
             * Format: int32
             * @description As in `TargetRow`.
             */
            exit?: number | null;
            /** @enum {string} */
            kind: "target";
            /** @description As in `TargetRow`. */
            state: string;
        } | {
            /** @description Where. */
            endpoint: string;
            /** @enum {string} */
            kind: "output";
            /**
             * Format: int32
             * @description 1 standard output, 2 standard error.
             */
            stream: number;
            /** @description Bytes that are no text are replacement characters. */
            text: string;
        } | {
            /** @enum {string} */
            kind: "ended";
            /** @description `finished`, `expired` or `cancelled`. */
            state: string;
        } | {
            /** @description Stable. */
            code: string;
            /** @enum {string} */
            kind: "trouble";
            /** @description What to do. */
            next: string;
            /** @description What it is. */
            text: string;
        };
        /**
         * @description Whether another stage may begin.
         * @enum {string}
         */
        NextStep: "nothing" | "too_early" | "soaks" | "halted_failures" | "halted_refusals" | "ready";
        /** @description One with which it was not done. */
        NotDone: {
            /** @description Stable. */
            code: string;
            /** @description Which. */
            id: string;
            /** @description Why. */
            message: string;
        };
        /** @description The answer: what an order would do, before anything is signed. */
        OrderPlan: {
            /** @description Its bounds in words. */
            bounds: string[];
            /** @description The next ten times of a schedule, without jitter. */
            runs: components["schemas"]["OrderRun"][];
            /** @description Whether it has times of its own. */
            schedule: boolean;
            /** @description What starts it, in words. */
            starts: string;
            /**
             * Format: int64
             * @description When it ends.
             */
            until: number;
            /** @description Whose clock the times are shown by. */
            zone: string;
        };
        /** @description Most runs within some time. */
        OrderRate: {
            /**
             * Format: int64
             * @description Within so many seconds.
             */
            per_s: number;
            /**
             * Format: int32
             * @description So many.
             */
            runs: number;
        };
        /** @description A standing order. */
        OrderRow: {
            /** @description Its class. */
            class: string;
            /** @description The first 200 endpoints, by the server's word. */
            endpoints: components["schemas"]["OrderTarget"][];
            /** @description `st_…` */
            id: string;
            /** @description What starts it, in words. */
            starts: string;
            /**
             * Format: int64
             * @description How many endpoints.
             */
            targets: number;
            /** @description Its title. */
            title: string;
            /**
             * Format: int64
             * @description When it ends.
             */
            until: number;
            /**
             * Format: int64
             * @description When a schedule comes next, without its jitter.
             */
            upcoming?: number | null;
            /** @description Taken back for good. */
            withdrawn: boolean;
        };
        /** @description A time of a schedule. */
        OrderRun: {
            /**
             * Format: int64
             * @description When.
             */
            at: number;
            /** @description Why no run starts then. */
            passed_over?: string | null;
            /** @description As a clock in the order's zone shows it. */
            wall: string;
        };
        /** @description Standing orders. */
        Orders: {
            /** @description Newest first. */
            orders: components["schemas"]["OrderRow"][];
        };
        /** @description What starts a run. */
        OrderStart: {
            /**
             * Format: int64
             * @description At least 60.
             */
            every_s: number;
            /** @enum {string} */
            kind: "interval";
        } | {
            /** @description Minute, hour, day, month, weekday (0 is Sunday). */
            cron: string;
            /** @enum {string} */
            kind: "calendar";
            /** @description A name like `Europe/Berlin`. */
            zone: string;
        } | {
            /** @enum {string} */
            kind: "start";
        } | {
            /** @enum {string} */
            kind: "disk_below";
            /** @description Any path on it. */
            path: string;
            /**
             * Format: int32
             * @description Per cent.
             */
            percent: number;
        } | {
            /** @enum {string} */
            kind: "service_down";
            /** @description Its name. */
            unit: string;
        } | {
            /** @enum {string} */
            kind: "reboot_pending";
        } | {
            /** @enum {string} */
            kind: "file_changed";
            /** @description Its path. */
            path: string;
        } | {
            /** @enum {string} */
            kind: "ended";
            /** @description The whole id of the other order. */
            order: string;
            /** @description Well, or badly. */
            well: boolean;
        };
        /** @description A standing order on an endpoint. */
        OrderTarget: {
            /** @description Where. */
            endpoint: components["schemas"]["String"];
            /** @description As it reported it: hostile text. */
            hostname?: string | null;
            last?: components["schemas"]["LastRun"] | null;
            /** @description In words: `standing`, `withdrawn` … */
            state: string;
        };
        /** @description What makes a job a standing order. */
        OrderTrigger: {
            /**
             * Format: int64
             * @description It stops after so much time without news from the server; a week unless said.
             */
            alone_s?: number | null;
            /**
             * Format: int64
             * @description Least time between two runs; a minute for schedules and an hour for conditions unless said.
             */
            distance_s?: number | null;
            /**
             * Format: int64
             * @description Of schedules: endpoints are spread over so much time.
             */
            jitter_s?: number | null;
            /**
             * Format: int64
             * @description Of schedules: a run that was missed may start so much later; otherwise it is passed over.
             */
            late_s?: number | null;
            /** @description What starts a run. */
            on: components["schemas"]["OrderStart"];
            rate?: components["schemas"]["OrderRate"] | null;
            /**
             * Format: int64
             * @description How long it stands.
             */
            until_s: number;
        };
        /** @description The organisation, verified from its anchor. */
        Organisation: {
            /** @description `bz1-…`, what endpoints believe in. */
            anchor: string;
            /**
             * Format: int64
             * @description When that ends.
             */
            bundle_expires: number;
            /**
             * Format: int64
             * @description Version of the bundle in force.
             */
            bundle_version: number;
            /** @description What to know about that end, when it is near. */
            warning?: string | null;
            /** @description Eight words of it, to compare by telephone. */
            words: string;
        };
        /** @description The first page. */
        Overview: {
            /** @description Jobs at work, newest first, at most 20. */
            active: components["schemas"]["JobRow"][];
            /** @description What somebody must look into. */
            alerts: components["schemas"]["Alert"][];
            /** @description By the server's word. */
            endpoints: components["schemas"]["FleetCounts"];
            /** @description What stands still, by the control log. */
            freezes: components["schemas"]["FreezeRow"][];
            /**
             * Format: int64
             * @description Alerts that nobody looks after.
             */
            open_alerts: number;
            /** @description Bundles that wait for their delay. */
            pending: components["schemas"]["PendingBundle"][];
            /**
             * Format: int64
             * @description Statements that lack signatures.
             */
            waiting: number;
            /**
             * Format: int64
             * @description Those among them that this operator can sign.
             */
            waiting_for_me: number;
        };
        /** @description A card, for whoever puts the organisation together or adds a person to it. */
        OwnCard: {
            /** @description The card: text of the file. */
            card: string;
            /** @description Eight words of it, to be read to that person. */
            words: string;
        };
        /** @description Shows that a passphrase was written down. */
        PaperCheck: {
            /** @description Of which sheet. */
            kind: components["schemas"]["PaperKind"];
            /** @description The words that were asked for, in that order. */
            words: string[];
        };
        /** @description A line of a sheet. */
        PaperFact: {
            /** @description What. */
            name: string;
            /** @description How. */
            value: string;
        };
        /**
         * @description What a sheet of paper is for.
         * @enum {string}
         */
        PaperKind: "recovery" | "spare_witness";
        /** @description What is still to be shown. */
        PaperLeft: {
            /** @description Sheets whose passphrase nobody has shown to have. */
            left: components["schemas"]["PaperKind"][];
        };
        /** @description A sheet of paper, and the passphrase that is not on it. */
        PaperSheet: {
            /** @description The encrypted key, as text. */
            armor: string;
            /** @description Which of them are asked for, counted from one. */
            asked: number[];
            /** @description What to do when. */
            cases: components["schemas"]["PaperFact"][];
            /** @description The same as a QR code: an SVG picture. */
            code: string;
            /** @description Names and values. */
            facts: components["schemas"]["PaperFact"][];
            /** @description What it is for. */
            kind: components["schemas"]["PaperKind"];
            /** @description Eight words that open it. Said once. */
            passphrase: string;
            /** @description What whoever has it can do. */
            purpose: string;
            /** @description Its head. */
            title: string;
            /** @description How it is used. */
            use_it: string;
        };
        /** @description What does not run, and why. */
        PassedCheck: {
            /** @description The policy that names it. */
            policy: string;
            /** @description Why not. */
            why: string;
            /** @description The check in words, or the policy's name. */
            words: string;
        };
        /** @description The card of the new passkey, for whoever adds it: `bartizan operator add` or `operator key add`. */
        PasskeyCard: {
            /** @description The card: JSON to be handed over as a file. */
            card: string;
            /** @description `SHA256:…` */
            fingerprint: string;
            /** @description Eight words, to be read to whoever adds it. */
            words: string;
        };
        /** @description Passkeys that were registered through this console. */
        PasskeyList: {
            /** @description Whether this console signs with them. */
            in_use: boolean;
            /** @description The one origin of this console; a passkey of another one does not sign here. */
            origin: string;
            /** @description Oldest first. */
            passkeys: components["schemas"]["PasskeyRow"][];
        };
        /** @description For `navigator.credentials.create`: ES256, user verification required, no attestation. */
        PasskeyOptions: {
            /** @description Base64url without padding; good for one registration. */
            challenge: string;
            /** @description Base64url of credentials that are registered already. */
            exclude: string[];
            /** @description `localhost`. */
            rp_id: string;
            /** @description For people. */
            rp_name: string;
            /** @description Base64url. */
            user_id: string;
        };
        /** @description What the browser gave; bytes in base64url without padding. */
        PasskeyRegistration: {
            /** @description `response.getAuthenticatorData()` */
            authenticator_data: string;
            /** @description `response.clientDataJSON` */
            client_data: string;
            /** @description The operator's short name in the organisation. */
            id: string;
            /** @description A passkey that can be copied to other devices is wanted. */
            may_be_synced?: boolean;
            /** @description The operator's name. */
            name: string;
        };
        /** @description For `navigator.credentials.get`. */
        PasskeyRequest: {
            /** @description Base64url without padding. */
            challenge: string;
            /** @description Base64url of each credential that may answer. */
            credentials: string[];
            /** @description `localhost`. */
            rp_id: string;
        };
        /** @description A passkey. */
        PasskeyRow: {
            /** @description Base64url of the credential. */
            credential: string;
            /** @description `SHA256:…` */
            fingerprint: string;
            /** @description Where it may be used. */
            origin: string;
            /** @description The public half. */
            ssh: string;
            /** @description Whether it can be copied to other devices. */
            synced: boolean;
        };
        /** @description A bundle that waits for its delay. */
        PendingBundle: {
            /** @description What it changes. */
            changes: components["schemas"]["DifferenceLine"][];
            /**
             * Format: int64
             * @description In force from then on, unless somebody vetoes it.
             */
            due: number;
            /** @description `st_…` */
            id: string;
            /**
             * Format: int64
             * @description Its version.
             */
            version: number;
            /** @description Eight words of it. */
            words: string;
        };
        /** @description A person. */
        Person: {
            /** @description `op_…` */
            id: string;
            /** @description Their keys. */
            keys: components["schemas"]["PersonKey"][];
            /** @description Whether this console signs with one of them. */
            me: boolean;
            /** @description For people. */
            name: string;
            /** @description `author`, `approve`, `root`, `enroll`, `freeze`, `promote`. */
            roles: string[];
            /** @description For these tenants only; absent means all. */
            tenants?: string[] | null;
        };
        /** @description A person's key. */
        PersonKey: {
            /** @description `SHA256:…` */
            fingerprint: string;
            /** @description `ssh-ed25519` … */
            key_type: string;
            /** @description May be synced. */
            may_be_synced: boolean;
            /** @description Which device. */
            note: string;
            /** @description Of a passkey: where it may be used. */
            origins: string[];
            /** @description `type base64`. */
            ssh: string;
            /** @description Must verify its user. */
            user_verification: boolean;
        };
        /** @description A person and the card that they sent. */
        PersonRequest: {
            /** @description The card: text of the file. */
            card: string;
            /** @description The eight words that the person read aloud. */
            words: string;
        };
        /** @description A wave that is planned. */
        PlannedStage: {
            /**
             * Format: int32
             * @description How many endpoints.
             */
            count: number;
            /** @description For people. */
            name: string;
            /**
             * Format: int64
             * @description How long the stage before it soaks.
             */
            soak_s: number;
        };
        /** @description Policies by place, and the text of the one that is useful everywhere. */
        Policies: {
            /** @description The source text of the policy that comes with the product. */
            defaults: string;
            /** @description Newest first. */
            policies: components["schemas"]["PolicyItem"][];
        };
        /** @description A policy, read from its exact bytes here. */
        PolicyItem: {
            /**
             * Format: int64
             * @description When it was signed, as it says.
             */
            at: number;
            /**
             * Format: int64
             * @description How many checks.
             */
            checks: number;
            /** @description `st_…` */
            id: string;
            /** @description Its name at its place. */
            name: string;
            /** @description Whose endpoints. */
            place: components["schemas"]["PolicyWhere"];
            /** @description `pending`, `active`, `replaced`, `withdrawn` or `over`, by the server's word. */
            state: string;
            /** @description In a few words. */
            title: string;
            /**
             * Format: int64
             * @description When it ends.
             */
            until: number;
            /** @description Whether enough people stand behind it by the bundle in force. */
            verification: components["schemas"]["Verification"];
            /**
             * Format: int64
             * @description The next one of this name takes the place of this one.
             */
            version: number;
        };
        /** @description A policy that somebody writes. */
        PolicyRequest: {
            /**
             * Format: int64
             * @description How long it lasts.
             * @default 90
             */
            days: number;
            /** @description Only for this endpoint. */
            endpoint?: string | null;
            /** @description Only for this site of the tenant; bare name. */
            site?: string | null;
            /** @description As TOML. */
            source: string;
            /** @description Only for this tenant; bare name. */
            tenant?: string | null;
        };
        /** @description Where a policy stands on an endpoint. */
        PolicyTarget: {
            /** @description Of its last receipt. */
            code?: string | null;
            /** @description `ep_…` */
            endpoint: string;
            /** @description As it calls itself. */
            hostname?: string | null;
            /** @description What to do about the code. */
            next?: string | null;
            /** @description In words: `stands`, `on its way`, `refused`, `over`. */
            state: string;
        };
        /** @description What the process says of a source text before anybody signs. */
        PolicyVerdict: {
            problem?: components["schemas"]["Problem"] | null;
            /** @description What would be signed, in words; nothing if it is no policy. */
            text?: string | null;
            /** @description Who else would have to sign. */
            who_else: string;
        };
        /** @description One policy. */
        PolicyView: {
            /** @description Why this operator cannot countersign it; nothing if so. */
            approve_disabled?: string | null;
            /** @description The policy. */
            policy: components["schemas"]["PolicyItem"];
            /** @description Who signed it. */
            signatures: components["schemas"]["SignedBy"][];
            /** @description The same as a source text, for a next version. */
            source: string;
            /** @description Every endpoint of its place, as the server has it; at most 1,000. */
            targets: components["schemas"]["PolicyTarget"][];
            /**
             * Format: int64
             * @description How many there are.
             */
            targets_total: number;
            /** @description From its exact bytes, as it was signed. */
            text: string;
            /** @description Why it cannot be taken back; nothing if so. */
            withdraw_disabled?: string | null;
        };
        /** @description Whose endpoints a policy is for: all of the organisation, unless it says less. */
        PolicyWhere: {
            /** @description `ep_…` */
            endpoint?: string | null;
            /** @description Bare name. */
            site?: string | null;
            /** @description Bare name. */
            tenant?: string | null;
            /** @description In words. */
            words: string;
        };
        /** @description The answer: what a new script on these endpoints would need. */
        Preview: {
            /**
             * Format: int32
             * @description How many more people must sign.
             */
            approvals_needed: number;
            /** @description The class. */
            class: string;
            /** @description Why this operator cannot write such a job. */
            disabled?: string | null;
            /**
             * Format: int32
             * @description How many.
             */
            endpoints: number;
            /** @description Whether every one of these endpoints has run it since, which makes the class milder. */
            ran_everywhere: boolean;
            review?: components["schemas"]["ScriptReview"] | null;
            /** @description In which waves. */
            stages: components["schemas"]["PlannedStage"][];
            /** @description Bare name of the one tenant they belong to. */
            tenant: string;
            /** @description The same in words. */
            who_else: string;
        };
        /** @description What a selection would need, before anything is written. */
        PreviewRequest: {
            class?: components["schemas"]["ChosenClass"] | null;
            /** @description It deletes or disables something. */
            destructive?: boolean;
            /** @description Where, as in `Compose`. */
            on: string[];
            script?: components["schemas"]["PreviewScript"] | null;
            trigger?: components["schemas"]["OrderTrigger"] | null;
        };
        /** @description A script as a job would have it, before it is signed: enough to say whether people have reviewed it in exactly this form. */
        PreviewScript: {
            /** @description Arguments. */
            args?: string[];
            /** @description Variables. */
            env?: components["schemas"]["Variable"][];
            /** @description Who reads it. */
            interpreter: components["schemas"]["ScriptLanguage"];
            /** @description Local account. */
            run_as?: string | null;
            /** @description Of the text. */
            sha256: string;
            /**
             * Format: int32
             * @description In bytes.
             */
            size: number;
        };
        /** @description Body of every refused request. */
        Problem: {
            /** @description Stable. */
            code: string;
            /** @description What is wrong, for people. */
            message: string;
            /** @description What to do next. */
            next: string;
        };
        /** @description A promotion to be signed. */
        PromotionRequest: {
            /** @description Go on although endpoints refused, and why. */
            despite_refusals?: string | null;
            /** @description The job. */
            job: string;
        };
        /** @description A file to save. */
        ProofFile: {
            /** @description Its bytes, in base64. */
            base64: string;
            /** @description Its name. */
            name: string;
        };
        /** @description Why an endpoint did not end well. */
        Reason: {
            /** @description Stable code. */
            code: string;
            /** @description Who. */
            endpoint: components["schemas"]["String"];
            /** @description As it reported it: hostile text. */
            hostname?: string | null;
            /** @description What a person can do about it. */
            next?: string | null;
            /** @description `failed`, `refused` or `waits`. */
            state: string;
        };
        /** @description An endpoint's signed account. */
        ReceiptRow: {
            /** @description `ok`, or why. */
            code: string;
            /** @description `refused`, `done`, `failed`, `timed_out`, `interrupted`, `standing` or `ended`. */
            decision: string;
            /** @description Who. */
            endpoint: components["schemas"]["String"];
            /**
             * Format: int32
             * @description Exit status.
             */
            exit?: number | null;
            /** @description As it reported it: hostile text. */
            hostname?: string | null;
            /** @description `st_…` */
            id: string;
            /** @description What it answers. */
            job: string;
            /** @description What a person can do about that code. */
            next?: string | null;
            /**
             * Format: int64
             * @description Of a standing order: which run.
             */
            occurrence?: number | null;
            /**
             * Format: int64
             * @description Size of the whole output.
             */
            output_bytes: number;
            /**
             * Format: int64
             * @description Counts from 1.
             */
            seq: number;
            /**
             * Format: int64
             * @description Start, by the endpoint's clock.
             */
            t0: number;
            /**
             * Format: int64
             * @description End, by the endpoint's clock.
             */
            t1: number;
            /** @description Whether the endpoint's own key signed it. */
            verification: components["schemas"]["Verification"];
        };
        /** @description Receipts of a job or an endpoint, each verified here. */
        ReceiptsWindow: {
            /**
             * Format: int64
             * @description How many of all do not verify.
             */
            bad: number;
            /**
             * Format: int64
             * @description Of the first row.
             */
            offset: number;
            /** @description The rows. */
            rows: components["schemas"]["ReceiptRow"][];
            /**
             * Format: int64
             * @description How many there are.
             */
            total: number;
        };
        /** @description A file that was not taken in. */
        RefusedFile: {
            /** @description Its name: hostile text. */
            name: string;
            /** @description Why. */
            reason: string;
        };
        /** @description How a roll-out goes, counted from receipts that were verified here. */
        RolloutView: {
            /** @description Its class. */
            class: string;
            /** @description The job. */
            job: string;
            /** @description Whether another stage may begin. */
            next: components["schemas"]["NextStep"];
            /** @description The same in words. */
            next_text: string;
            /** @description Why this operator cannot let the next stage begin now. */
            promote_disabled?: string | null;
            /**
             * Format: int64
             * @description How long the stage still soaks.
             */
            soak_left_s: number;
            /** @description Each stage. */
            stages: components["schemas"]["StageRow"][];
            /** @description By the server's word. */
            state: string;
            /** @description Its title. */
            title: string;
        };
        /** @description A check that runs, and why. */
        RunningCheck: {
            /** @description Because of which policy. */
            because: string;
            /** @description Its id. */
            id: string;
            /** @description The policy. */
            policy: string;
            /** @description Newest results, one for each instance. */
            results: components["schemas"]["CheckResult"][];
            /** @description What it looks at, in words. */
            words: string;
        };
        /** @description A list of endpoints under a name. */
        SavedView: {
            /** @description Which columns, in which order; the usual ones unless said. */
            columns?: components["schemas"]["FleetColumn"][] | null;
            /** @description The other way round. */
            descending?: boolean;
            /** @description At most 60 characters, each visible. */
            name: string;
            /** @description Part of a host name or id. */
            search?: string | null;
            /** @description Bare name. */
            site?: string | null;
            sort?: components["schemas"]["FleetSort"] | null;
            state?: components["schemas"]["EndpointState"] | null;
            /** @description Bare name; `none` for those that belong to nobody yet. */
            tenant?: string | null;
        };
        /** @description All of them, in order of name. */
        SavedViews: {
            /** @description At most 50. */
            views: components["schemas"]["SavedView"][];
        };
        /** @description What a script is. */
        ScriptAbout: {
            /** @description For people. */
            description?: string;
            /** @description It deletes or disables something. */
            destructive?: boolean;
            /** @description Who reads it. */
            interpreter: components["schemas"]["ScriptLanguage"];
            /** @description Small letters, digits and dashes. */
            name: string;
            /** @description What is asked for before each job. */
            parameters?: components["schemas"]["ScriptParameter"][];
            /** @description Local account; root unless said. */
            run_as?: string | null;
            /**
             * Format: int32
             * @description Longest run.
             */
            timeout_s: number;
            /** @description What it does, in a line; the title of its jobs. */
            title: string;
        };
        /** @description A file. */
        ScriptFile: {
            /** @description `clear-cache.sh` */
            name: string;
            /** @description What is in it. */
            text: string;
        };
        /** @description Files of a folder: `NAME.sh`, `.bash` or `.py`, and `NAME.json` that says what it is. */
        ScriptFiles: {
            /** @description Without folders in their names. */
            files: components["schemas"]["ScriptFile"][];
        };
        /**
         * @description Who reads a script.
         * @enum {string}
         */
        ScriptLanguage: "bash" | "sh" | "python3";
        /** @description All scripts, in order of name. */
        ScriptLibrary: {
            /** @description At most 1,000. */
            scripts: components["schemas"]["LibraryScript"][];
            unknown?: components["schemas"]["Problem"] | null;
        };
        /** @description A variable that a person fills in. */
        ScriptParameter: {
            /** @description What to write there. */
            about?: string;
            /** @description Of the variable. */
            name: string;
            /** @description What stands there at first. */
            value?: string;
        };
        /** @description A job that shows that people have reviewed a script. */
        ScriptReview: {
            /** @description Arguments it had. */
            args: string[];
            /**
             * Format: int64
             * @description When its author made it.
             */
            at: number;
            /** @description Whether it was called destructive. */
            destructive: boolean;
            /** @description `NAME=VALUE` */
            env: string[];
            /** @description Who read it there. */
            interpreter: string;
            /** @description The job. */
            job: string;
            /**
             * Format: int64
             * @description Place in the jobs log of the entry that has all these signatures.
             */
            log_index: number;
            /** @description Names of those who signed it, the author first. */
            people: string[];
            /** @description Local account. */
            run_as?: string | null;
            /** @description Its title. */
            title: string;
        };
        /** @description What came of them. */
        ScriptsImported: {
            /** @description Those that are other ones now. */
            changed: string[];
            /** @description Names of scripts that were not there. */
            new: string[];
            /** @description Those that were not taken in. */
            refused: components["schemas"]["RefusedFile"][];
            /**
             * Format: int32
             * @description How many are as they were.
             */
            same: number;
        };
        /** @description A script to be kept. */
        ScriptToKeep: {
            /** @description What it is. */
            about: components["schemas"]["ScriptAbout"];
            /** @description The text. */
            text: string;
        };
        /** @description A text that it had. */
        ScriptVersion: {
            /**
             * Format: int64
             * @description When it was kept here.
             */
            at: number;
            /** @description Jobs in the log that more than one person signed, newest first. */
            reviews: components["schemas"]["ScriptReview"][];
            /** @description Of the text. */
            sha256: string;
            /**
             * Format: int32
             * @description In bytes.
             */
            size: number;
        };
        /** @description A script that was signed. */
        ScriptView: {
            /** @description Arguments. */
            args: string[];
            /** @description Whether its author says that it deletes or disables something. */
            destructive: boolean;
            /** @description `NAME=VALUE`. */
            env: string[];
            /** @description `bash`, `sh` or `python3`. */
            interpreter: string;
            /** @description Local account. */
            run_as?: string | null;
            /** @description SHA-256, verified. */
            sha256: string;
            /** @description The exact text; of bytes that are no text, replacement characters. */
            text: string;
            /**
             * Format: int32
             * @description Longest run.
             */
            timeout_s: number;
        };
        /** @description One series. */
        SeriesLine: {
            /** @description It only rises, until the machine starts again: show what it rises by. */
            counter: boolean;
            /** @description Which one. */
            label?: string | null;
            /** @description What the label says: `mount`, `interface`, … */
            label_key?: string | null;
            /** @description The metric. */
            name: string;
            /** @description Rising. */
            times: number[];
            /** @description As many as times. */
            values: number[];
        };
        /** @description What an endpoint's reports lost, in all. */
        SeriesLosses: {
            /**
             * Format: int64
             * @description Samples, results and events that it threw away for want of room.
             */
            dropped: number;
            /** @description Why, of the last of those. */
            refusal?: string | null;
            /**
             * Format: int64
             * @description Reports that were not what they should be.
             */
            refused: number;
        };
        /**
         * @description What stands for the values between two points.
         * @enum {string}
         */
        SeriesStat: "mean" | "min" | "max" | "last";
        /** @description What an endpoint measured of itself. */
        SeriesView: {
            /**
             * Format: int64
             * @description From here.
             */
            from: number;
            losses?: components["schemas"]["SeriesLosses"] | null;
            /** @description By name and label. */
            series: components["schemas"]["SeriesLine"][];
            /**
             * Format: int64
             * @description Seconds between points; each stands at the beginning of what it sums up.
             */
            step_s: number;
            /**
             * Format: int64
             * @description To here, included.
             */
            to: number;
        };
        /** @description The server. */
        ServerLink: {
            /** @description `host:port` of its operator plane. */
            address: string;
            /** @description SHA-256 of its TLS key, pinned. */
            spki: string;
        };
        /** @description A server. */
        ServerRow: {
            /** @description `host:port` */
            addresses: string[];
            /** @description SHA-256 of its TLS key. */
            spki: string;
        };
        /** @description A session of one page. */
        Session: {
            /**
             * Format: int64
             * @description Seconds since 1970 at which it ends.
             */
            expires: number;
            /** @description For `Authorization: Bearer …`. Kept in memory by the page, and nowhere else. */
            token: string;
        };
        /**
         * @description How bad it is.
         * @enum {string}
         */
        Severity: "warning" | "urgent";
        /** @description What is to be signed, rendered from the exact bytes. */
        Sheet: {
            /** @description The class. */
            class?: string | null;
            difference?: components["schemas"]["Difference"] | null;
            /** @description Why this console cannot sign it. */
            disabled?: string | null;
            /**
             * Format: int32
             * @description How many endpoints.
             */
            endpoints?: number | null;
            /**
             * Format: int64
             * @description When the token ends.
             */
            expires: number;
            /** @description Digest of the statement, `st_…`. */
            id: string;
            /** @description `job`, `bundle`, `freeze`, `thaw`, `veto`, `promotion` or `withdrawal`. */
            kind: string;
            /** @description What a person must know before signing. */
            notes: string[];
            passkey?: components["schemas"]["PasskeyRequest"] | null;
            /** @description What to ask. */
            question: string;
            /** @description `author`, `approve`, `root`, `freeze` or `promote`. */
            role: string;
            /** @description Signatures it has. */
            signatures: components["schemas"]["SignedBy"][];
            /** @description In which waves. */
            stages: components["schemas"]["PlannedStage"][];
            /** @description Bare name. */
            tenant?: string | null;
            /** @description The whole statement in words. This is what is signed. */
            text: string;
            /** @description For `POST /sign`, good once, for this statement in this role only. */
            token: string;
            /**
             * Format: int64
             * @description Ends.
             */
            until?: number | null;
            /** @description Who must sign besides, in words. */
            who_else?: string | null;
            /** @description Eight words of the digest. */
            words: string;
        };
        /** @description What became of it. */
        Signed: {
            /** @description Of an enrolment: what to run on each new endpoint, as root. */
            command?: string | null;
            /** @description Whether enough people have signed it. */
            enough: boolean;
            /** @description The statement. */
            id: string;
            /** @description Its kind. */
            kind: string;
            /**
             * Format: int64
             * @description Its place in its log, once enough people have signed it.
             */
            log_index?: number | null;
            /** @description In words. */
            text: string;
        };
        /** @description Who signed something, and as what. */
        SignedBy: {
            /** @description Of the key. */
            fingerprint: string;
            /** @description The operator's name. */
            name?: string | null;
            /** @description The operator, if a bundle names the key. */
            operator?: string | null;
            /** @description `author`, `approve`, `root` … */
            role: string;
            /** @description Whether it counts by the bundle in force; if not, why. */
            verification: components["schemas"]["Verification"];
        };
        /** @description The key that signs. */
        SigningKey: {
            /** @description `SHA256:…` */
            fingerprint: string;
            /** @description Held by hardware, and to be touched. */
            hardware: boolean;
            /** @description `ssh-ed25519` … */
            key_type: string;
            /** @description Where it is. */
            place: components["schemas"]["KeyPlace"];
        };
        /** @description Confirms a sheet. */
        SignRequest: {
            assertion?: components["schemas"]["Assertion"] | null;
            /** @description The digest that was shown. */
            id: string;
            /** @description Of the sheet. */
            token: string;
            /** @description The eight words that were shown and confirmed. */
            words: string;
        };
        /** @description A site's endpoints. */
        SiteBranch: {
            /** @description How many. */
            counts: components["schemas"]["FleetCounts"];
            /** @description Bare name. */
            site?: string | null;
        };
        /** @description One stage. */
        StageRow: {
            /**
             * Format: int32
             * @description How many endpoints.
             */
            count: number;
            /**
             * Format: int32
             * @description Delivered.
             */
            delivered: number;
            /**
             * Format: int32
             * @description Ended well, by receipts.
             */
            done: number;
            /**
             * Format: int32
             * @description Ended badly, by receipts.
             */
            failed: number;
            /**
             * Format: int32
             * @description Most failures of the stage before, in per cent.
             */
            failures_percent_max: number;
            /** @description Whether it may run. */
            may_run: boolean;
            /** @description For people. */
            name: string;
            /**
             * Format: int32
             * @description How many people let it begin.
             */
            promoters: number;
            /**
             * Format: int32
             * @description On its way or not yet.
             */
            queued: number;
            /** @description Who did not end well, and why; at most 50. */
            reasons: components["schemas"]["Reason"][];
            /**
             * Format: int32
             * @description Refused, by receipts.
             */
            refused: number;
            /**
             * Format: int32
             * @description At work.
             */
            running: number;
            /**
             * Format: int64
             * @description How long the stage before it soaks.
             */
            soak_s: number;
            /**
             * Format: int32
             * @description From 0.
             */
            stage: number;
            /**
             * Format: int32
             * @description The endpoint waits.
             */
            waits: number;
        };
        /**
         * @description How far this console is.
         * @enum {string}
         */
        Standing: "ready" | "no_organisation" | "unreachable" | "login_needed" | "refused";
        /** @description So many stand there. */
        StateCount: {
            /**
             * Format: int64
             * @description How many.
             */
            count: number;
            /** @description `queued`, `delivered`, `waiting`, `refused`, `running`, `done`, `failed`, `expired` or `cancelled`. */
            state: string;
        };
        String: string;
        /** @description How old the view is. */
        SyncState: {
            /**
             * Format: int64
             * @description When the control log was last verified.
             */
            checked_at: number;
            /**
             * Format: int64
             * @description Entries it had.
             */
            control_size: number;
            /** @description Why this console co-signs nothing at present. */
            keeps_still?: string | null;
        };
        /** @description A job on one endpoint, by the server's word. */
        TargetRow: {
            /** @description Refusal or failure code. */
            code?: string | null;
            /** @description Where. */
            endpoint: components["schemas"]["String"];
            /**
             * Format: int32
             * @description Exit status.
             */
            exit?: number | null;
            /** @description As it reported it: hostile text. */
            hostname?: string | null;
            /** @description What a person can do about that code. */
            next?: string | null;
            /**
             * Format: int32
             * @description In which stage, from 0.
             */
            stage: number;
            /** @description `queued`, `delivered`, `waiting`, `refused`, `running`, `done`, `failed`, `expired` or `cancelled`. */
            state: string;
        };
        /** @description Endpoints of a job, in the order of its target tree. States are the server's word. */
        TargetsWindow: {
            /**
             * Format: int64
             * @description Of the first row.
             */
            offset: number;
            /** @description The rows. */
            rows: components["schemas"]["TargetRow"][];
            /**
             * Format: int64
             * @description How many fit.
             */
            total: number;
        };
        /** @description "Tell me when they are back." */
        TellMeRequest: {
            /** @description Over which channel. */
            channel: string;
            /** @description Endpoints; at most 200. */
            endpoints: string[];
        };
        /** @description A tenant's endpoints. */
        TenantBranch: {
            /** @description Of all its sites. */
            counts: components["schemas"]["FleetCounts"];
            /** @description In order of name. */
            sites: components["schemas"]["SiteBranch"][];
            /** @description Bare name; absent for endpoints that belong to nobody yet. */
            tenant?: string | null;
        };
        /** @description How many people change the bundle. */
        ThresholdRequest: {
            /**
             * Format: int32
             * @description Root operators.
             */
            people: number;
        };
        /** @description The bundle in force, verified from the anchor. */
        Trust: {
            /**
             * Format: int64
             * @description When it was made.
             */
            at: number;
            /** @description What each class demands. */
            classes: components["schemas"]["ClassRow"][];
            /** @description Tenants that countersign. */
            customers: components["schemas"]["CustomerRow"][];
            /**
             * Format: int64
             * @description When it ends.
             */
            expires: number;
            /** @description `st_…` */
            id: string;
            /** @description The oldest agent that may act. */
            min_agent: string;
            /** @description The people. */
            operators: components["schemas"]["Person"][];
            /** @description Bundles that wait for their delay. */
            pending: components["schemas"]["PendingBundle"][];
            /**
             * Format: int64
             * @description How long a recovery waits.
             */
            recovery_delay_s: number;
            /** @description Fingerprints of the recovery keys. */
            recovery_keys: string[];
            /**
             * Format: int32
             * @description How many root operators change it.
             */
            root_threshold: number;
            /** @description Where agents find the server. */
            servers: components["schemas"]["ServerRow"][];
            /**
             * Format: int64
             * @description Counts from 1.
             */
            version: number;
            /**
             * Format: int64
             * @description How long changes that weaken something wait.
             */
            weaken_delay_s: number;
            /** @description Who co-signs the logs. */
            witnesses: components["schemas"]["WitnessRow"][];
            /** @description Eight words of it. */
            words: string;
        };
        /** @description A variable of a script. */
        Variable: {
            /** @description Its name. */
            name: string;
            /** @description Its value. */
            value: string;
        };
        /** @description Whether this console has verified something itself, and what does not fit. */
        Verification: {
            /** @description Why not. */
            problem?: string | null;
            /** @description Verified here, from signatures; not the server's word. */
            verified: boolean;
        };
        /** @description One text of a script. */
        VersionText: {
            difference?: components["schemas"]["Difference"] | null;
            /** @description Verified here. */
            sha256: string;
            /** @description The exact text. */
            text: string;
        };
        /** @description A window to be made. */
        WindowRequest: {
            /**
             * Format: int64
             * @description The version of the rules that it was written under.
             */
            base: number;
            /** @description The window. */
            window: components["schemas"]["MaintenanceWindow"];
        };
        /** @description A witness. */
        WitnessRow: {
            /** @description Whether it is this console. */
            me: boolean;
            /** @description Its name in the policy. */
            name: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type AboutRequest = components['schemas']['AboutRequest'];
export type Alert = components['schemas']['Alert'];
export type AlertCare = components['schemas']['AlertCare'];
export type AlertChannel = components['schemas']['AlertChannel'];
export type AlertDeed = components['schemas']['AlertDeed'];
export type AlertDeedKind = components['schemas']['AlertDeedKind'];
export type AlertEvent = components['schemas']['AlertEvent'];
export type AlertItem = components['schemas']['AlertItem'];
export type AlertMessage = components['schemas']['AlertMessage'];
export type AlertReason = components['schemas']['AlertReason'];
export type AlertRule = components['schemas']['AlertRule'];
export type AlertRules = components['schemas']['AlertRules'];
export type AlertRulesVersion = components['schemas']['AlertRulesVersion'];
export type AlertSeverity = components['schemas']['AlertSeverity'];
export type AlertState = components['schemas']['AlertState'];
export type AlertsWindow = components['schemas']['AlertsWindow'];
export type AlertView = components['schemas']['AlertView'];
export type ApprovalRequest = components['schemas']['ApprovalRequest'];
export type Assertion = components['schemas']['Assertion'];
export type AuditForm = components['schemas']['AuditForm'];
export type AuditPerson = components['schemas']['AuditPerson'];
export type AuditRow = components['schemas']['AuditRow'];
export type AuditWindow = components['schemas']['AuditWindow'];
export type BundleHistory = components['schemas']['BundleHistory'];
export type BundleRow = components['schemas']['BundleRow'];
export type BundleState = components['schemas']['BundleState'];
export type CardRequest = components['schemas']['CardRequest'];
export type Change = components['schemas']['Change'];
export type CheckResult = components['schemas']['CheckResult'];
export type ChosenClass = components['schemas']['ChosenClass'];
export type ClassRow = components['schemas']['ClassRow'];
export type Compose = components['schemas']['Compose'];
export type Cosigned = components['schemas']['Cosigned'];
export type CountersignRequest = components['schemas']['CountersignRequest'];
export type CustomerRow = components['schemas']['CustomerRow'];
export type Difference = components['schemas']['Difference'];
export type DifferenceLine = components['schemas']['DifferenceLine'];
export type EndpointChecks = components['schemas']['EndpointChecks'];
export type EndpointJob = components['schemas']['EndpointJob'];
export type EndpointJobs = components['schemas']['EndpointJobs'];
export type EndpointRow = components['schemas']['EndpointRow'];
export type EndpointState = components['schemas']['EndpointState'];
export type EndpointView = components['schemas']['EndpointView'];
export type EndWindowRequest = components['schemas']['EndWindowRequest'];
export type EnrolmentRequest = components['schemas']['EnrolmentRequest'];
export type EntriesWindow = components['schemas']['EntriesWindow'];
export type EntryRow = components['schemas']['EntryRow'];
export type EntryView = components['schemas']['EntryView'];
export type FleetColumn = components['schemas']['FleetColumn'];
export type FleetCounts = components['schemas']['FleetCounts'];
export type FleetSort = components['schemas']['FleetSort'];
export type FleetTree = components['schemas']['FleetTree'];
export type FleetWindow = components['schemas']['FleetWindow'];
export type FoundDraft = components['schemas']['FoundDraft'];
export type FoundHit = components['schemas']['FoundHit'];
export type Founding = components['schemas']['Founding'];
export type FoundingKey = components['schemas']['FoundingKey'];
export type FoundingWaits = components['schemas']['FoundingWaits'];
export type FoundRequest = components['schemas']['FoundRequest'];
export type FoundRow = components['schemas']['FoundRow'];
export type FoundWindow = components['schemas']['FoundWindow'];
export type FreezeList = components['schemas']['FreezeList'];
export type FreezeRequest = components['schemas']['FreezeRequest'];
export type FreezeRow = components['schemas']['FreezeRow'];
export type FreezeState = components['schemas']['FreezeState'];
export type FreezeTarget = components['schemas']['FreezeTarget'];
export type FreezeView = components['schemas']['FreezeView'];
export type Inbox = components['schemas']['Inbox'];
export type InboxItem = components['schemas']['InboxItem'];
export type InventoryChange = components['schemas']['InventoryChange'];
export type InventoryDifference = components['schemas']['InventoryDifference'];
export type InventoryFact = components['schemas']['InventoryFact'];
export type InventoryField = components['schemas']['InventoryField'];
export type InventoryHistory = components['schemas']['InventoryHistory'];
export type InventoryItem = components['schemas']['InventoryItem'];
export type InventoryItems = components['schemas']['InventoryItems'];
export type InventorySectionRow = components['schemas']['InventorySectionRow'];
export type InventoryView = components['schemas']['InventoryView'];
export type JobRow = components['schemas']['JobRow'];
export type JobsWindow = components['schemas']['JobsWindow'];
export type JobView = components['schemas']['JobView'];
export type JoinRequest = components['schemas']['JoinRequest'];
export type KeyPlace = components['schemas']['KeyPlace'];
export type LastRun = components['schemas']['LastRun'];
export type Launch = components['schemas']['Launch'];
export type LibraryScript = components['schemas']['LibraryScript'];
export type Logs = components['schemas']['Logs'];
export type LogView = components['schemas']['LogView'];
export type MaintenanceWindow = components['schemas']['MaintenanceWindow'];
export type ManyDone = components['schemas']['ManyDone'];
export type Me = components['schemas']['Me'];
export type MyOperator = components['schemas']['MyOperator'];
export type Named = components['schemas']['Named'];
export type NewPerson = components['schemas']['NewPerson'];
export type News = components['schemas']['News'];
export type NextStep = components['schemas']['NextStep'];
export type NotDone = components['schemas']['NotDone'];
export type OrderPlan = components['schemas']['OrderPlan'];
export type OrderRate = components['schemas']['OrderRate'];
export type OrderRow = components['schemas']['OrderRow'];
export type OrderRun = components['schemas']['OrderRun'];
export type Orders = components['schemas']['Orders'];
export type OrderStart = components['schemas']['OrderStart'];
export type OrderTarget = components['schemas']['OrderTarget'];
export type OrderTrigger = components['schemas']['OrderTrigger'];
export type Organisation = components['schemas']['Organisation'];
export type Overview = components['schemas']['Overview'];
export type OwnCard = components['schemas']['OwnCard'];
export type PaperCheck = components['schemas']['PaperCheck'];
export type PaperFact = components['schemas']['PaperFact'];
export type PaperKind = components['schemas']['PaperKind'];
export type PaperLeft = components['schemas']['PaperLeft'];
export type PaperSheet = components['schemas']['PaperSheet'];
export type PassedCheck = components['schemas']['PassedCheck'];
export type PasskeyCard = components['schemas']['PasskeyCard'];
export type PasskeyList = components['schemas']['PasskeyList'];
export type PasskeyOptions = components['schemas']['PasskeyOptions'];
export type PasskeyRegistration = components['schemas']['PasskeyRegistration'];
export type PasskeyRequest = components['schemas']['PasskeyRequest'];
export type PasskeyRow = components['schemas']['PasskeyRow'];
export type PendingBundle = components['schemas']['PendingBundle'];
export type Person = components['schemas']['Person'];
export type PersonKey = components['schemas']['PersonKey'];
export type PersonRequest = components['schemas']['PersonRequest'];
export type PlannedStage = components['schemas']['PlannedStage'];
export type Policies = components['schemas']['Policies'];
export type PolicyItem = components['schemas']['PolicyItem'];
export type PolicyRequest = components['schemas']['PolicyRequest'];
export type PolicyTarget = components['schemas']['PolicyTarget'];
export type PolicyVerdict = components['schemas']['PolicyVerdict'];
export type PolicyView = components['schemas']['PolicyView'];
export type PolicyWhere = components['schemas']['PolicyWhere'];
export type Preview = components['schemas']['Preview'];
export type PreviewRequest = components['schemas']['PreviewRequest'];
export type PreviewScript = components['schemas']['PreviewScript'];
export type Problem = components['schemas']['Problem'];
export type PromotionRequest = components['schemas']['PromotionRequest'];
export type ProofFile = components['schemas']['ProofFile'];
export type Reason = components['schemas']['Reason'];
export type ReceiptRow = components['schemas']['ReceiptRow'];
export type ReceiptsWindow = components['schemas']['ReceiptsWindow'];
export type RefusedFile = components['schemas']['RefusedFile'];
export type RolloutView = components['schemas']['RolloutView'];
export type RunningCheck = components['schemas']['RunningCheck'];
export type SavedView = components['schemas']['SavedView'];
export type SavedViews = components['schemas']['SavedViews'];
export type ScriptAbout = components['schemas']['ScriptAbout'];
export type ScriptFile = components['schemas']['ScriptFile'];
export type ScriptFiles = components['schemas']['ScriptFiles'];
export type ScriptLanguage = components['schemas']['ScriptLanguage'];
export type ScriptLibrary = components['schemas']['ScriptLibrary'];
export type ScriptParameter = components['schemas']['ScriptParameter'];
export type ScriptReview = components['schemas']['ScriptReview'];
export type ScriptsImported = components['schemas']['ScriptsImported'];
export type ScriptToKeep = components['schemas']['ScriptToKeep'];
export type ScriptVersion = components['schemas']['ScriptVersion'];
export type ScriptView = components['schemas']['ScriptView'];
export type SeriesLine = components['schemas']['SeriesLine'];
export type SeriesLosses = components['schemas']['SeriesLosses'];
export type SeriesStat = components['schemas']['SeriesStat'];
export type SeriesView = components['schemas']['SeriesView'];
export type ServerLink = components['schemas']['ServerLink'];
export type ServerRow = components['schemas']['ServerRow'];
export type Session = components['schemas']['Session'];
export type Severity = components['schemas']['Severity'];
export type Sheet = components['schemas']['Sheet'];
export type Signed = components['schemas']['Signed'];
export type SignedBy = components['schemas']['SignedBy'];
export type SigningKey = components['schemas']['SigningKey'];
export type SignRequest = components['schemas']['SignRequest'];
export type SiteBranch = components['schemas']['SiteBranch'];
export type StageRow = components['schemas']['StageRow'];
export type Standing = components['schemas']['Standing'];
export type StateCount = components['schemas']['StateCount'];
export type String = components['schemas']['String'];
export type SyncState = components['schemas']['SyncState'];
export type TargetRow = components['schemas']['TargetRow'];
export type TargetsWindow = components['schemas']['TargetsWindow'];
export type TellMeRequest = components['schemas']['TellMeRequest'];
export type TenantBranch = components['schemas']['TenantBranch'];
export type ThresholdRequest = components['schemas']['ThresholdRequest'];
export type Trust = components['schemas']['Trust'];
export type Variable = components['schemas']['Variable'];
export type Verification = components['schemas']['Verification'];
export type VersionText = components['schemas']['VersionText'];
export type WindowRequest = components['schemas']['WindowRequest'];
export type WitnessRow = components['schemas']['WitnessRow'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

"""Tests what a linter does not see in the template. tests/tests/template.rs compares its routes and variables with the code."""
import copy, json, re, subprocess, tomllib, unittest

import iam, stack

FUNCTIONS = {  # binary, folder, timeout in seconds
    "CommandFunction": ("command", "functions/command", 29),
    "AutocompleteFunction": ("autocomplete", "functions/autocomplete", 10),
    "EventFunction": ("event", "functions/event", 10),
    "DeliverFunction": ("deliver", "functions/event", 60),
    "InstallFunction": ("install", "functions/install", 29),
}


class Whole(unittest.TestCase):
    def test_sam_finds_nothing_to_complain_about(self):
        done = subprocess.run([stack.ROOT / ".venv/sam/bin/sam", "validate", "--lint", "--template", stack.TEMPLATE],
                              capture_output=True, text=True, cwd=stack.ROOT)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_the_transformed_template_has_no_circular_dependency(self):
        self.assertEqual([], stack.cycle(stack.transformed()))

    def test_the_address_of_the_api_in_a_function_would_be_found_as_a_cycle(self):
        template = copy.deepcopy(stack.source())
        template["Resources"]["CommandFunction"]["Properties"]["Environment"]["Variables"]["URL"] = {"Fn::Sub": "https://${HttpApi}"}
        found = stack.cycle(stack.transform(template))
        self.assertIn("CommandFunction", found)
        self.assertIn("HttpApi", found)

    def test_nothing_has_a_physical_name(self):
        names = {"TableName", "QueueName", "FunctionName", "RoleName", "LogGroupName", "AlarmName", "Name", "ManagedPolicyName"}
        for name, resource in stack.transformed()["Resources"].items():
            given = names & set(resource.get("Properties", {}))
            # A mapping and a permission name the function that they are for.
            if resource["Type"] in ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission"):
                given -= {"FunctionName"}
            # A filter names the log that it reads.
            if resource["Type"] == "AWS::Logs::MetricFilter":
                given -= {"LogGroupName"}
            self.assertEqual(set(), given, name)

    def test_every_parameter_and_output_is_described_and_every_parameter_used(self):
        template = stack.source()
        for kind in ("Parameters", "Outputs"):
            for name, item in template[kind].items():
                self.assertGreater(len(item.get("Description", "")), 15, name)
        used = set(stack.references({k: v for k, v in template.items() if k != "Parameters"}))
        self.assertEqual(set(), set(template["Parameters"]) - used)

    def test_every_parameter_has_a_default_so_that_a_first_deployment_asks_nothing(self):
        self.assertEqual([], [n for n, p in stack.source()["Parameters"].items() if "Default" not in p])

    def test_everything_that_is_named_exists(self):
        template = stack.transformed()
        known = set(template["Resources"]) | set(template["Parameters"])
        missing = {r for r in stack.references(template) if r not in known and not r.startswith("AWS::")}
        self.assertEqual(set(), missing)

    def test_the_sam_cli_builds_without_its_cache_and_knows_the_sample_world(self):
        config = tomllib.loads((stack.ROOT / "samconfig.toml").read_text())["default"]
        self.assertIs(False, config["build"]["parameters"]["cached"])
        for command in ("local_invoke", "local_start_api"):
            self.assertTrue((stack.ROOT / config[command]["parameters"]["env_vars"]).exists())


class Routes(unittest.TestCase):
    def test_the_transformed_api_has_them_all(self):
        [api] = stack.of_type(stack.transformed(), "AWS::ApiGatewayV2::Api").values()
        found = {(m.upper(), path) for path, methods in api["Properties"]["Body"]["paths"].items() for m in methods}
        self.assertEqual({(m, p) for m, p, _ in stack.routes()}, found)

    def test_no_route_takes_whatever_comes(self):
        for method, path, _ in stack.routes():
            self.assertNotIn("+}", path)
            self.assertNotIn(method, ("ANY", "X-AMAZON-APIGATEWAY-ANY-METHOD"))

    def test_the_stage_is_the_default_one_throttled_and_its_log_says_route_and_status_only(self):
        [stage] = stack.of_type(stack.transformed(), "AWS::ApiGatewayV2::Stage").values()
        stage = stage["Properties"]
        self.assertEqual("$default", stage["StageName"])
        self.assertEqual({"ThrottlingRateLimit", "ThrottlingBurstLimit"}, set(stage["DefaultRouteSettings"]))
        self.assertEqual({"route": "$context.routeKey", "status": "$context.status"}, json.loads(stage["AccessLogSettings"]["Format"]))


class Functions(unittest.TestCase):
    def test_each_is_built_from_its_binary_with_its_timeout(self):
        resources = stack.of_type(stack.source(), "AWS::Serverless::Function")
        found = {n: (r["Metadata"]["BuildProperties"]["Binary"], r["Properties"]["CodeUri"], r["Properties"]["Timeout"])
                 for n, r in resources.items()}
        self.assertEqual(FUNCTIONS, found)
        self.assertEqual({"rust-cargolambda"}, {r["Metadata"]["BuildMethod"] for r in resources.values()})

    def test_all_run_on_amazon_linux_2023_with_memory_and_processor_of_the_parameters(self):
        for name, f in stack.of_type(stack.transformed(), "AWS::Lambda::Function").items():
            f = f["Properties"]
            self.assertEqual("provided.al2023", f["Runtime"], name)
            self.assertEqual([{"Ref": "Architecture"}], f["Architectures"], name)
            self.assertEqual({"Ref": "MemorySize"}, f["MemorySize"], name)
            self.assertNotIn("ReservedConcurrentExecutions", f, name)

    def test_each_writes_json_to_a_log_of_its_own_that_forgets(self):
        groups = {}
        for name, f in stack.of_type(stack.transformed(), "AWS::Lambda::Function").items():
            logging = f["Properties"]["LoggingConfig"]
            self.assertEqual("JSON", logging["LogFormat"], name)
            groups[name] = logging["LogGroup"]["Ref"]
        self.assertEqual(len(FUNCTIONS), len(set(groups.values())))
        for name, group in stack.of_type(stack.source(), "AWS::Logs::LogGroup").items():
            self.assertEqual({"Ref": "LogRetentionDays"}, group["Properties"]["RetentionInDays"], name)

    def test_their_environment_holds_our_variables_only_and_no_address_of_the_api(self):
        for name, f in stack.functions().items():
            variables = f["Environment"]["Variables"]
            self.assertEqual([], [v for v in variables if not re.fullmatch(r"CLOUD_APPS_[A-Z_]+", v)], name)
            self.assertEqual("", variables["CLOUD_APPS_SAMPLE"], name)
            self.assertNotIn("HttpApi", set(stack.references(variables)), name)


class Rights(unittest.TestCase):
    def test_each_function_has_a_role_of_its_own_with_inline_statements_only(self):
        roles = stack.of_type(stack.transformed(), "AWS::IAM::Role")
        self.assertEqual(sorted(roles), sorted(stack.role_of(f) for f in FUNCTIONS))
        for name, role in roles.items():
            self.assertNotIn("ManagedPolicyArns", role["Properties"], name)
        self.assertEqual({"OwnFunctions"}, set(stack.of_type(stack.transformed(), "AWS::IAM::Policy")))

    def test_no_statement_has_a_star_but_for_the_app_in_the_name_of_a_key_ring_or_function(self):
        named = ("${AWS::StackName}/app/*/keys-??????", "function:${UpstreamFunctionPrefix}*")
        for function in FUNCTIONS:
            for statement in stack.statements(function):
                if statement["Effect"] == "Deny":
                    continue
                label = f"{function} {statement['Sid']}"
                self.assertNotIn("*", json.dumps(statement["Action"]), label)
                for resource in stack.listed(statement["Resource"]):
                    text = resource["Fn::Sub"] if "Fn::Sub" in resource else json.dumps(resource)
                    for name in named:
                        text = text.replace(name, "")
                    self.assertNotIn("*", text, label)

    def test_every_right_to_items_names_their_keys(self):
        for function in FUNCTIONS:
            for statement in stack.statements(function):
                if json.dumps(statement["Action"]).startswith(('"dynamodb:', '["dynamodb:')):
                    keys, _ = iam.conditions(statement)
                    self.assertTrue(keys, f"{function} {statement['Sid']}")
                    self.assertNotIn("*", keys, f"{function} {statement['Sid']}")

    def test_the_documentation_has_the_table_of_keys(self):
        letters = {"Get": "R", "BatchGet": "R", "Query": "R", "ConditionCheck": "R", "Put": "W", "Update": "U", "Delete": "D"}
        granted = {}  # (table, how a key begins, function) → letters
        for function in FUNCTIONS:
            for statement in stack.statements(function):
                for key in iam.conditions(statement)[0] or []:
                    place = (statement["Resource"]["Fn::GetAtt"][0], key.rstrip("*"), function)
                    verbs = (a.split(":")[1].removesuffix("Item") for a in stack.listed(statement["Action"]))
                    granted[place] = granted.get(place, set()) | {letters[verb] for verb in verbs}
        page = (stack.ROOT / "docs/architecture.md").read_text()
        section = page[page.index("### Keys"):page.index("## Secrets")]
        header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
        told = {}
        for table, keys, _, *cells in rows:
            for key in re.findall(r"`([A-Z]+#?)", keys):
                for functions, cell in zip(header[3:], cells):
                    for function in functions.split(", "):
                        if cell != "–":
                            told[f"{table}Table", key, f"{function}Function"] = set(cell.split(",")[0])
        self.assertEqual(granted, told)

    def test_only_the_install_function_makes_codes_and_writes_the_catalogue(self):
        for function in FUNCTIONS:
            for statement in stack.statements(function):
                keys, attributes = iam.conditions(statement)
                writes = {f"dynamodb:{verb}Item" for verb in ("Put", "Update", "BatchWrite")} & set(stack.listed(statement["Action"]))
                made = {"CODE#*", "MANAGE#*", "APPS", "TOKEN#*"} & set(keys or [])
                # An update of a code's hold makes no code: what it is for is not among these attributes.
                if writes and made and not (attributes and {"app", "site", "base_url", "exp"}.isdisjoint(attributes)):
                    self.assertEqual("InstallFunction", function, statement["Sid"])

    def test_who_invokes_apps_is_denied_the_stacks_own_functions(self):
        for function in FUNCTIONS:
            invoking = [s for s in stack.statements(function) if s["Action"] == "lambda:InvokeFunction"]
            effects = [s["Effect"] for s in invoking]
            self.assertIn(sorted(effects), ([], ["Allow", "Deny"]), function)
            for denied in (s for s in invoking if s["Effect"] == "Deny"):
                self.assertNotIn("Condition", denied)
                self.assertEqual(set(FUNCTIONS), set(stack.references(denied["Resource"])))

    def test_every_statement_names_its_port_once(self):
        for function in FUNCTIONS:
            sids = [s["Sid"] for s in stack.statements(function)]
            self.assertEqual(len(sids), len(set(sids)), function)

    def test_only_the_install_function_makes_keys_and_with_it_only_the_consumer_writes_installs(self):
        for function in FUNCTIONS:
            for statement in stack.statements(function):
                for action in stack.listed(statement["Action"]):
                    service, verb = action.split(":")
                    if verb.startswith(("Get", "BatchGet", "Query")):
                        continue
                    if service == "secretsmanager":
                        self.assertEqual("InstallFunction", function, action)
                    if "InstallsTable" in set(stack.references(statement)):
                        self.assertIn(function, ("InstallFunction", "DeliverFunction"), action)


class Tables(unittest.TestCase):
    def test_installs_and_data_survive_and_the_ledger_goes(self):
        tables = stack.of_type(stack.source(), "AWS::DynamoDB::Table")
        self.assertEqual({"InstallsTable", "DataTable", "LedgerTable"}, set(tables))
        for name in ("InstallsTable", "DataTable"):
            table, p = tables[name], tables[name]["Properties"]
            self.assertEqual(("RetainExceptOnCreate", "Retain"), (table["DeletionPolicy"], table["UpdateReplacePolicy"]))
            self.assertTrue(p["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
            self.assertEqual({"Ref": "DeletionProtection"}, p["DeletionProtectionEnabled"])
            self.assertEqual(["pk", "sk"], [k["AttributeName"] for k in p["KeySchema"]])
        ledger, p = tables["LedgerTable"], tables["LedgerTable"]["Properties"]
        self.assertEqual(("Delete", "Delete"), (ledger["DeletionPolicy"], ledger["UpdateReplacePolicy"]))
        self.assertEqual({"AttributeName": "ttl", "Enabled": True}, p["TimeToLiveSpecification"])
        self.assertEqual(["pk"], [k["AttributeName"] for k in p["KeySchema"]])
        self.assertFalse({"PointInTimeRecoverySpecification", "DeletionProtectionEnabled"} & set(p))

    def test_all_are_billed_on_demand_without_index_or_stream(self):
        for name, table in stack.of_type(stack.source(), "AWS::DynamoDB::Table").items():
            p = table["Properties"]
            self.assertEqual("PAY_PER_REQUEST", p["BillingMode"], name)
            self.assertFalse({"GlobalSecondaryIndexes", "LocalSecondaryIndexes", "StreamSpecification"} & set(p), name)

    def test_a_first_deployment_that_fails_can_be_rolled_back(self):
        self.assertEqual("false", stack.source()["Parameters"]["DeletionProtection"]["Default"])


class Queues(unittest.TestCase):
    NUMBERS = {"EventQueue": (360, 5, 10, 50), "CommandQueue": (360, 3, 1, 20)}  # visibility, receives, batch, concurrency

    def test_their_numbers_are_those_of_the_design(self):
        template = stack.source()
        mappings = {m["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]: m["Properties"]
                    for m in stack.of_type(template, "AWS::Lambda::EventSourceMapping").values()}
        found = {}
        for name in self.NUMBERS:
            queue, mapping = template["Resources"][name]["Properties"], mappings[name]
            concurrency = template["Parameters"][mapping["ScalingConfig"]["MaximumConcurrency"]["Ref"]]["Default"]
            found[name] = (queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"], mapping["BatchSize"], concurrency)
            self.assertEqual({"Ref": "DeliverFunction"}, mapping["FunctionName"])
            self.assertEqual(["ReportBatchItemFailures"], mapping["FunctionResponseTypes"])
            self.assertGreaterEqual(queue["VisibilityTimeout"], 6 * FUNCTIONS["DeliverFunction"][2])
        self.assertEqual(self.NUMBERS, found)
        self.assertEqual(set(self.NUMBERS), set(mappings))

    def test_each_has_dead_letters_and_all_are_kept_14_days_encrypted_and_standard(self):
        queues = stack.of_type(stack.source(), "AWS::SQS::Queue")
        dead = {q["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
                for q in queues.values() if "RedrivePolicy" in q["Properties"]}
        self.assertEqual({"EventDeadLetters", "CommandDeadLetters"}, dead)
        self.assertEqual(dead | set(self.NUMBERS), set(queues))
        for name, queue in queues.items():
            p = queue["Properties"]
            self.assertEqual(14 * 24 * 3600, p["MessageRetentionPeriod"], name)
            self.assertIn("SqsManagedSseEnabled", p, name)
            self.assertNotIn("FifoQueue", p, name)

    def test_the_consumer_may_send_to_its_own_queue(self):
        for name, f in stack.of_type(stack.transformed(), "AWS::Lambda::Function").items():
            self.assertEqual("Allow" if name == "DeliverFunction" else None, f["Properties"].get("RecursiveLoop"), name)


class Upkeep(unittest.TestCase):
    def test_a_schedule_invokes_the_consumer_once_a_day_and_nothing_else_may(self):
        template = stack.transformed()
        [(name, rule)] = stack.of_type(template, "AWS::Events::Rule").items()
        [target] = rule["Properties"]["Targets"]
        self.assertEqual({"Fn::GetAtt": ["DeliverFunction", "Arn"]}, target["Arn"])
        self.assertEqual({"upkeep": True}, json.loads(target["Input"]))
        self.assertRegex(rule["Properties"]["ScheduleExpression"], r"^cron\(\d+ \d+ \* \* \? \*\)$")
        may = [p["Properties"] for p in stack.of_type(template, "AWS::Lambda::Permission").values()
               if p["Properties"]["FunctionName"] == {"Ref": "DeliverFunction"}]
        self.assertEqual([("events.amazonaws.com", {"Fn::GetAtt": [name, "Arn"]})], [(p["Principal"], p["SourceArn"]) for p in may])


class Alarms(unittest.TestCase):
    def test_there_are_five_and_each_says_what_to_do_next(self):
        alarms = stack.of_type(stack.source(), "AWS::CloudWatch::Alarm")
        self.assertEqual({"DeadEventsAlarm", "DeadCommandsAlarm", "EventAgeAlarm", "BotTokenAlarm", "ServerErrorsAlarm"}, set(alarms))
        for name, alarm in alarms.items():
            p = alarm["Properties"]
            self.assertIn(" Next: ", p["AlarmDescription"], name)
            self.assertLessEqual(len(p["AlarmDescription"]), 1024, name)
            self.assertEqual("notBreaching", p["TreatMissingData"], name)
            self.assertEqual(p["AlarmActions"], p["OKActions"], name)

    def test_the_log_line_of_a_token_that_ends_raises_one(self):
        [metric] = stack.of_type(stack.source(), "AWS::Logs::MetricFilter").values()
        metric = metric["Properties"]
        self.assertEqual({"Ref": "DeliverLogs"}, metric["LogGroupName"])
        [field] = re.fullmatch(r'\{ \$\.(\w+ = "\w+") \}', metric["FilterPattern"]).groups()
        self.assertIn(f"{field},", (stack.ROOT / "shared/core/src/upkeep/token.rs").read_text())
        alarm = stack.source()["Resources"]["BotTokenAlarm"]["Properties"]
        [made] = metric["MetricTransformations"]
        self.assertEqual((made["MetricNamespace"], made["MetricName"]), (alarm["Namespace"], alarm["MetricName"]))

    def test_their_texts_name_resources_and_parameters_that_exist(self):
        template = stack.source()
        known = set(template["Resources"]) | set(template["Parameters"])
        for name, alarm in stack.of_type(template, "AWS::CloudWatch::Alarm").items():
            named = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", alarm["Properties"]["AlarmDescription"]))
            self.assertEqual(set(), named - known, name)

/** The cities of the airports in the flights, by code; from the table of airports that comes with them in vega-datasets. */

const packed =
  'ABE Allentown|ABI Abilene|ABQ Albuquerque|ACT Waco|ACY Atlantic City|ADQ Kodiak|AKN King Salmon|ALB Albany|' +
  'AMA Amarillo|ANC Anchorage|APF Naples|ATL Atlanta|AUS Austin|AVL Asheville|AVP Wilkes-Barre|AZO Kalamazoo|' +
  'BDL Hartford|BET Bethel|BFL Bakersfield|BGM Binghamton|BGR Bangor|BHM Birmingham|BIL Billings|BIS Bismarck|' +
  'BMI Bloomington|BNA Nashville|BOI Boise|BOS Boston|BPT Beaumont|BQN Aguadilla|BRO Brownsville|BRW Barrow|' +
  'BTR Baton Rouge|BTV Burlington|BUF Buffalo|BUR Burbank|BWI Baltimore|BZN Bozeman|CAE Columbia|CAK Akron|' +
  'CDV Cordova|CHA Chattanooga|CHS Charleston|CID Cedar Rapids|CLE Cleveland|CLL College Station|CLT Charlotte|' +
  'CMH Columbus|CMI Champaign|COS Colorado Springs|CRP Corpus Christi|CRW Charleston|CVG Cincinnati|' +
  'DAB Daytona Beach|DAL Dallas|DAY Dayton|DBQ Dubuque|DCA Washington|DEN Denver|DFW Dallas|DLG Dillingham|' +
  'DLH Duluth|DRO Durango|DSM Des Moines|DTW Detroit|DUT Unalaska|EGE Eagle|ELM Elmira|ELP El Paso|ERI Erie|' +
  'EUG Eugene|EVV Evansville|EWR Newark|EYW Key West|FAI Fairbanks|FAR Fargo|FAT Fresno|FAY Fayetteville|' +
  'FCA Kalispell|FLL Fort Lauderdale|FNT Flint|FSD Sioux Falls|FSM Fort Smith|FWA Fort Wayne|GEG Spokane|' +
  'GFK Grand Forks|GGG Longview|GPT Gulfport|GRB Green Bay|GRR Grand Rapids|GSO Greensboro|GSP Greenville|' +
  'GST Gustavus|GTF Great Falls|GUC Gunnison|HDN Hayden|HLN Helena|HNL Honolulu|HOU Houston|HPN White Plains|' +
  'HRL Harlingen|HSV Huntsville|IAD Washington|IAH Houston|ICT Wichita|ILE Killeen|ILM Wilmington|IND Indianapolis|' +
  'ISP Islip|ITH Ithaca|ITO Hilo|JAC Jackson|JAN Jackson|JAX Jacksonville|JFK New York|JNU Juneau|KOA Kona|' +
  'KTN Ketchikan|LAN Lansing|LAS Las Vegas|LAW Lawton|LAX Los Angeles|LBB Lubbock|LEX Lexington|LFT Lafayette|' +
  'LGA New York|LGB Long Beach|LIH Lihue|LIT Little Rock|LNK Lincoln|LRD Laredo|LSE La Crosse|LWB Lewisburg|' +
  'MAF Midland|MBS Saginaw|MCI Kansas City|MCO Orlando|MDT Harrisburg|MDW Chicago|MEM Memphis|MFE McAllen|' +
  'MFR Medford|MHT Manchester|MIA Miami|MKE Milwaukee|MLB Melbourne|MLI Moline|MLU Monroe|MOB Mobile|MOT Minot|' +
  'MQT Marquette|MRY Monterey|MSN Madison|MSO Missoula|MSP Minneapolis|MSY New Orleans|MTJ Montrose|' +
  'MYR Myrtle Beach|OAK Oakland|OGG Kahului|OKC Oklahoma City|OMA Omaha|OME Nome|ONT Ontario|ORD Chicago|' +
  'ORF Norfolk|ORH Worcester|OTZ Kotzebue|PBI West Palm Beach|PDX Portland|PHL Philadelphia|PHX Phoenix|PIA Peoria|' +
  'PIT Pittsburgh|PNS Pensacola|PSC Pasco|PSG Petersburg|PSP Palm Springs|PVD Providence|PWM Portland|' +
  'RAP Rapid City|RDU Raleigh|RIC Richmond|RNO Reno|ROA Roanoke|ROC Rochester|RST Rochester|RSW Fort Myers|' +
  'SAN San Diego|SAT San Antonio|SAV Savannah|SBA Santa Barbara|SBN South Bend|SBP San Luis Obispo|SCC Deadhorse|' +
  'SDF Louisville|SEA Seattle|SFO San Francisco|SGF Springfield|SHV Shreveport|SIT Sitka|SJC San Jose|' +
  'SJT San Angelo|SJU San Juan|SLC Salt Lake City|SMF Sacramento|SNA Santa Ana|SPS Wichita Falls|SRQ Sarasota|' +
  'STL St. Louis|STT Charlotte Amalie|STX Christiansted|SUX Sioux City|SWF Newburgh|SYR Syracuse|TLH Tallahassee|' +
  'TOL Toledo|TPA Tampa|TRI Bristol|TUL Tulsa|TUS Tucson|TVC Traverse City|TXK Texarkana|TYR Tyler|TYS Knoxville|' +
  'VPS Valparaiso|WRG Wrangell|XNA Fayetteville|YAK Yakutat'

const cities = new Map(packed.split('|').map(entry => [entry.slice(0, 3), entry.slice(4)]))

/** The city of an airport; its code where it is unknown. */
export const cityOf = (airport: string): string => cities.get(airport) ?? airport
